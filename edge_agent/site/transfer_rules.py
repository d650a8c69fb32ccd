"""What decides about files on their way: may one be asked for, by which method, which transfer a word means, and what
has become of it by the station's word and by what really went over. Pure.

Start at `decide_request`, `decide_told` and `verdict`; `edge_agent.site.transfers` does what they say. Sources: OCPP
1.6 §4.4, §4.5, §5.8, §5.19 and the security whitepaper; OCPP 2.0.1 L and N; SECURITY §3.2 (signed firmware first).
"""

from collections.abc import Collection, Iterable

import msgspec

from edge_agent.site.ports import Decide, Decision, FirmwareImage, Ledger
from edge_agent.site.reports import TransferReport
from sitelink import events as e
from sitelink.commands import OrderAnswer
from sitelink.errors import FirmwareUnsigned, NotFound, TransferRunning, TransferUnavailable
from sitelink.ids import StationKey, TransferId
from sitelink.model import SiteState, Station, Transfer
from sitelink.ops import BOX, STATION, Author, Fact
from sitelink.states import CommandState, TransferKind, TransferMethod

TLS_FIRST = (TransferMethod.HTTPS, TransferMethod.FTPS, TransferMethod.HTTP, TransferMethod.FTP)
"""For a station that is connected with TLS: it trusts the box's certificate."""
TLS_LAST = (TransferMethod.HTTP, TransferMethod.FTP, TransferMethod.HTTPS, TransferMethod.FTPS)
"""For any other: with TLS it would most likely fail."""
TLS_FROM_PROFILE = 2
OVER_HTTP = frozenset({TransferMethod.HTTP, TransferMethod.HTTPS})
PROTOCOL_KEYS = ("supportedfiletransferprotocols", "filetransferprotocols")
"""OCPP 1.6 §9.2 and OCPPCommCtrlr.FileTransferProtocols of 2.x, the latter under whatever component it is kept."""
UPLOADED = frozenset({"uploaded"})
NOT_UPLOADED = frozenset(
    {"uploadfailed", "uploadfailure", "badmessage", "notsupportedoperation", "permissiondenied", "acceptedcanceled"}
)
INSTALLED = frozenset({"installed"})
NOT_INSTALLED = {
    "downloadfailed": "download_failed",
    "installationfailed": "installation_failed",
    "installverificationfailed": "verification_failed",
    "invalidsignature": "signature_invalid",
    "invalidcertificate": "certificate_refused",
    "revokedcertificate": "certificate_refused",
}
MAY_TRY_AGAIN = frozenset({"downloadfailed", "installationfailed", "installverificationfailed"})
REFUSALS = {"InvalidCertificate": "certificate_refused", "RevokedCertificate": "certificate_refused"}
NOT_OFFERED = frozenset({"NotSupported", "NotImplemented"})


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants. `image` for firmware; `unsigned` installs without its signature, by that express wish."""

    kind: TransferKind
    method: TransferMethod | None = None
    image: FirmwareImage | None = None
    unsigned: bool = False


def decide_request(
    transfer: TransferId, station: StationKey, asked: Asked, author: Author, *, file: str,
    methods: Collection[TransferMethod],
) -> Decide[bool]:  # fmt: skip
    """Write a transfer down. False: it is known already, and not run again. Raises what is in the way."""

    def decide(ledger: Ledger) -> Decision[bool]:
        state = ledger.state
        if transfer in state.transfers:
            return Decision((), False)
        known = state.stations.get(station)
        if known is None:
            raise NotFound(what="charge_point", key=station)
        for other in state.transfers_of(station):
            if other.running and other.kind is asked.kind:
                raise TransferRunning(kind=asked.kind.value, transfer=other.id)
        event = e.TransferRequested(
            kind=asked.kind, station=station, request=next_request(state),
            method=choose_method(asked, known, methods), file=file,
        )  # fmt: skip
        if asked.image is not None:
            event = _of_image(event, asked.image, asked, known)
        return Decision((Fact(f"transfer:{transfer}", event, author),), True)

    return decide


def _of_image(event: e.TransferRequested, image: FirmwareImage, asked: Asked, station: Station) -> e.TransferRequested:
    signed = image.signature is not None and not asked.unsigned
    if not signed and not asked.unsigned:
        raise FirmwareUnsigned(name=image.name)
    return msgspec.structs.replace(
        event, file=image.name, version=image.version, version_before=station.firmware, boots_before=station.boots,
        signed=signed, size=image.size, sha256=image.sha256,
    )  # fmt: skip


def next_request(state: SiteState) -> int:
    """A number no transfer that is remembered has."""
    return 1 + max((each.request for each in state.transfers.values()), default=0)


def choose_method(asked: Asked, station: Station, methods: Collection[TransferMethod]) -> TransferMethod:
    """What was asked for, else what the station says it has, else the usual. Firmware never goes by FTP."""
    order = TLS_FIRST if station.profile >= TLS_FROM_PROFILE else TLS_LAST
    possible = [each for each in order if each in methods]
    if asked.kind is TransferKind.FIRMWARE:
        if asked.method is not None and asked.method not in OVER_HTTP:
            raise TransferUnavailable(reason="firmware_by_ftp", method=asked.method.value)
        possible = [each for each in possible if each in OVER_HTTP]
    if asked.method is not None:
        if asked.method not in possible:
            raise TransferUnavailable(reason="method", method=asked.method.value)
        return asked.method
    said = protocols_of(station)
    chosen = next((each for each in possible if each in said), None)
    if chosen is not None:
        return chosen
    if not possible or (said and asked.kind is not TransferKind.FIRMWARE):
        raise TransferUnavailable(reason="method", station=", ".join(sorted(said)))
    return possible[0]


def protocols_of(station: Station) -> frozenset[TransferMethod]:
    """The methods the station says it has, of those we know; empty where it does not say."""
    for key, value in station.configuration.items():
        if value and key.rpartition(".")[2].casefold() in PROTOCOL_KEYS:
            words = {word.strip().casefold() for word in value.split(",")}
            return frozenset(method for method in TransferMethod if method.value in words)
    return frozenset()


def says_methods(station: Station) -> bool:
    """Whether it was asked for its methods before, whatever it said."""
    return any(key.rpartition(".")[2].casefold() in PROTOCOL_KEYS for key in station.configuration)


def decide_told(station: StationKey, report: TransferReport) -> Decide[None]:
    """A word of the station goes to the transfer it means; where none is meant it is kept for the record alone."""

    def decide(ledger: Ledger) -> Decision[None]:
        transfer = meant(ledger.state.transfers_of(station), report)
        if transfer is None:
            kept = e.StationMessage(report.action, report.payload)
            return Decision((Fact(f"station:{station}", kept, STATION),), None)
        if transfer.word == report.word:
            return Decision((), None)
        told = e.TransferTold(report.word, report.payload)
        return Decision((Fact(f"transfer:{transfer.id}", told, STATION),), None)

    return decide


def meant(transfers: Iterable[Transfer], report: TransferReport) -> Transfer | None:
    """By number where one is given and known, else the newest that runs; a trigger's Idle means none."""
    if not report.word:
        return None
    candidates = [each for each in transfers if each.kind in report.kinds]
    if report.request is not None:
        numbered = [each for each in candidates if each.request == report.request]
        if numbered:
            return numbered[-1]
    if report.word.casefold() == "idle":
        return None
    running = [each for each in candidates if each.running]
    return running[-1] if running else None


def reading(transfer: Transfer, answer: OrderAnswer) -> tuple[CommandState, str | None]:
    """What an answer means: its state and, when that is the end, the outcome."""
    if answer.accepted:
        return CommandState.ANSWERED, None
    if answer.word in NOT_OFFERED:
        return CommandState.REFUSED, "signed_not_supported" if transfer.signed else "not_supported"
    if answer.word in REFUSALS:
        return CommandState.REFUSED, "certificate_refused"
    if answer.word == "Rejected":
        return CommandState.REFUSED, "refused"
    return CommandState.FAILED, "call_error"


class Verdict(msgspec.Struct, frozen=True):
    """How a transfer ends. Not `settled`: unless something more is heard of it soon."""

    state: CommandState
    outcome: str
    settled: bool = True


def verdict(transfer: Transfer, station: Station | None) -> Verdict | None:
    """What has become of a transfer by now. None: it is under way."""
    if transfer.kind is TransferKind.FIRMWARE:
        return _of_firmware(transfer, station)
    return _of_upload(transfer)


def _of_upload(transfer: Transfer) -> Verdict | None:
    word = (transfer.word or "").casefold()
    if transfer.moved_at is not None:
        if word in UPLOADED:
            return Verdict(CommandState.DONE, "received")
        said_otherwise = word in NOT_UPLOADED
        return Verdict(
            CommandState.DONE, "received_said_failed" if said_otherwise else "received_no_word", settled=False
        )
    if word in UPLOADED:
        return Verdict(CommandState.FAILED, "nothing_arrived", settled=False)
    if word in NOT_UPLOADED:
        return Verdict(CommandState.FAILED, "upload_failed", settled=False)
    nothing_named = transfer.answer is not None and transfer.station_file is None
    if nothing_named and not transfer.told and not transfer.tries:
        return Verdict(CommandState.FAILED, "nothing_to_upload", settled=False)
    return None


def _of_firmware(transfer: Transfer, station: Station | None) -> Verdict | None:
    word = (transfer.word or "").casefold()
    if station is not None and _runs_another(transfer, station):
        as_wanted = transfer.version is None or transfer.version == station.firmware
        return Verdict(CommandState.DONE, "new_version" if as_wanted else "other_version")
    if word in INSTALLED:
        return Verdict(CommandState.DONE, "installed")
    if word in NOT_INSTALLED:
        return Verdict(CommandState.FAILED, NOT_INSTALLED[word], settled=word not in MAY_TRY_AGAIN)
    return None


def _runs_another(transfer: Transfer, station: Station) -> bool:
    """It has booted since, with another firmware version than before."""
    if station.boots == transfer.boots_before or not station.firmware:
        return False
    if transfer.version_before is None:
        return station.firmware == transfer.version
    return station.firmware != transfer.version_before


def given_up(transfer: Transfer, station: Station | None) -> Verdict:
    """Nothing more was heard of it for too long."""
    if transfer.kind is not TransferKind.FIRMWARE:
        outcome = "not_arrived" if transfer.answer is not None or transfer.told else "no_answer"
    elif transfer.moved_at is None and not transfer.told:
        outcome = "not_fetched" if transfer.answer is not None else "no_answer"
    else:
        rebooted = station is not None and station.boots != transfer.boots_before
        outcome = "same_version" if rebooted else "not_installed"
    return Verdict(CommandState.TIMED_OUT, outcome)


def decide_interrupted(arrived: dict[TransferId, tuple[int, str]]) -> Decide[int]:
    """At start: what was under way is over; an upload of which the whole file lies on the box has succeeded."""

    def decide(ledger: Ledger) -> Decision[int]:
        facts: list[Fact] = []
        running = [each for each in ledger.state.transfers.values() if each.running]
        for each in running:
            entity = f"transfer:{each.id}"
            if each.id in arrived:
                size, sha256 = arrived[each.id]
                facts.append(Fact(entity, e.TransferMoved(size, sha256), BOX))
                facts.append(Fact(entity, e.TransferEnded(CommandState.DONE, "received_no_word"), BOX))
            else:
                facts.append(Fact(entity, e.TransferEnded(CommandState.INTERRUPTED, "interrupted"), BOX))
        return Decision(tuple(facts), len(running))

    return decide


def decide_gone(files: Collection[str]) -> Decide[None]:
    """These files are no longer on the box."""

    def decide(ledger: Ledger) -> Decision[None]:
        gone = [
            each for each in ledger.state.transfers.values()
            if each.file in files and each.kind is not TransferKind.FIRMWARE
        ]  # fmt: skip
        return Decision(tuple(Fact(f"transfer:{each.id}", e.TransferFileRemoved(), BOX) for each in gone), None)

    return decide
