"""What decides about files: may it be asked, by which method, what a word means, what became of it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.site import transfer_rules as rules
from edge_agent.site.reports import TransferReport
from edge_agent.site.transfer_rules import Asked, Verdict, choose_method, meant, protocols_of, reading, verdict
from sitelink.commands import OrderAnswer
from sitelink.errors import TransferUnavailable
from sitelink.ids import StationKey, TransferId
from sitelink.model import Station, Told, Transfer
from sitelink.ops import BOX
from sitelink.states import CommandState, TransferKind, TransferMethod
from tests.sitelink.builders import WHEN

DIAGNOSTICS, LOG, FIRMWARE = TransferKind
HTTPS, HTTP, FTPS, FTP = TransferMethod
STATION = Station(id=StationKey("cp001"), identity="CP001", firmware="1.0", boots=3)


def transfer(kind=DIAGNOSTICS, *words: str, id_="t1", **changes) -> Transfer:
    return Transfer(
        id=TransferId(id_), kind=kind, station=STATION.id, method=HTTP, by=BOX, requested_at=WHEN, file="a.bin",
        told=tuple(Told(word, WHEN) for word in words),
        **{"request": 7, "version_before": "1.0", "boots_before": 3, **changes},
    )  # fmt: skip


def configured(value: str, key: str = "SupportedFileTransferProtocols") -> Station:
    return msgspec.structs.replace(STATION, configuration={key: value})


@pytest.mark.parametrize(
    ("said", "profile", "box", "chosen"),
    [
        (None, 0, {HTTP, FTP}, HTTP),
        (None, 1, {HTTP, HTTPS, FTP}, HTTP),
        (None, 2, {HTTP, HTTPS, FTP}, HTTPS),
        (None, 2, {HTTP, FTP}, HTTP),
        (None, 0, {FTP}, FTP),
        ("FTP", 0, {HTTP, FTP}, FTP),
        ("FTP,HTTP", 0, {HTTP, FTP}, HTTP),
        ("ftp, https ,http", 1, {HTTP, HTTPS, FTP}, HTTP),
        ("ftp, https ,http", 2, {HTTP, HTTPS, FTP}, HTTPS),
        ("FTPS,FTP", 0, {HTTP, FTP, FTPS}, FTP),
        ("FTPS,FTP", 3, {HTTP, FTP, FTPS}, FTPS),
        ("HTTPS", 0, {HTTP, HTTPS, FTP}, HTTPS),
        ("SFTP", 0, {HTTP, FTP}, HTTP),
    ],
)
def test_the_method_is_one_both_have_with_tls_where_the_station_trusts_the_box(said, profile, box, chosen):
    station = msgspec.structs.replace(STATION if said is None else configured(said), profile=profile)
    assert choose_method(Asked(kind=DIAGNOSTICS), station, box) is chosen


@pytest.mark.parametrize(("said", "box"), [("SFTP,FTP", {HTTP}), (None, set()), ("FTPS", {HTTP, FTP})])
def test_without_a_method_in_common_nothing_is_asked(said, box):
    station = STATION if said is None else configured(said)
    with pytest.raises(TransferUnavailable):
        choose_method(Asked(kind=DIAGNOSTICS), station, box)


def test_the_word_of_2x_counts_too():
    station = configured("HTTPS,FTP", "OCPPCommCtrlr.FileTransferProtocols")
    assert protocols_of(station) == {HTTPS, FTP}


def test_who_asks_may_choose_but_not_what_the_box_has_not():
    assert choose_method(Asked(kind=DIAGNOSTICS, method=FTP), configured("HTTP"), {HTTP, FTP}) is FTP
    with pytest.raises(TransferUnavailable):
        choose_method(Asked(kind=DIAGNOSTICS, method=FTPS), STATION, {HTTP, FTP})


@pytest.mark.parametrize("method", [None, FTP, FTPS])
def test_firmware_never_goes_by_ftp(method):
    asked = Asked(kind=FIRMWARE, method=method)
    if method is None:
        assert choose_method(asked, configured("FTP"), {HTTP, FTP, FTPS}) is HTTP
    else:
        with pytest.raises(TransferUnavailable):
            choose_method(asked, STATION, {HTTP, FTP, FTPS})


MOVED = {"moved_at": WHEN, "size": 5, "sha256": "00"}
ANSWERED = {"answer": "Accepted", "answered_at": WHEN}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (transfer(), None),
        (transfer(DIAGNOSTICS, **ANSWERED), Verdict(CommandState.FAILED, "nothing_to_upload", settled=False)),
        (transfer(DIAGNOSTICS, **ANSWERED, station_file="d.zip"), None),
        (transfer(DIAGNOSTICS, "Uploading", **ANSWERED), None),
        (transfer(DIAGNOSTICS, "Uploading", **MOVED), Verdict(CommandState.DONE, "received_no_word", settled=False)),
        (transfer(DIAGNOSTICS, "Uploading", "Uploaded", **MOVED), Verdict(CommandState.DONE, "received")),
        (transfer(DIAGNOSTICS, "Uploaded"), Verdict(CommandState.FAILED, "nothing_arrived", settled=False)),
        (transfer(DIAGNOSTICS, "UploadFailed"), Verdict(CommandState.FAILED, "upload_failed", settled=False)),
        (transfer(LOG, "UploadFailure"), Verdict(CommandState.FAILED, "upload_failed", settled=False)),
        (transfer(LOG, "PermissionDenied"), Verdict(CommandState.FAILED, "upload_failed", settled=False)),
        (transfer(DIAGNOSTICS, "UploadFailed", "Uploading"), None),
        (transfer(DIAGNOSTICS, "UploadFailed", **MOVED),
         Verdict(CommandState.DONE, "received_said_failed", settled=False)),
        (transfer(FIRMWARE), None),
        (transfer(FIRMWARE, "Downloading", "Downloaded", "Installing", **MOVED), None),
        (transfer(FIRMWARE, "Installed"), Verdict(CommandState.DONE, "installed")),
        (transfer(FIRMWARE, "DownloadFailed"), Verdict(CommandState.FAILED, "download_failed", settled=False)),
        (transfer(FIRMWARE, "InstallationFailed"), Verdict(CommandState.FAILED, "installation_failed", settled=False)),
        (transfer(FIRMWARE, "InvalidSignature"), Verdict(CommandState.FAILED, "signature_invalid")),
    ],
)  # fmt: skip
def test_an_end_is_the_stations_word_and_what_really_went_over(state, expected):
    assert verdict(state, STATION) == expected


@pytest.mark.parametrize(
    ("firmware", "boots", "changes", "outcome"),
    [
        ("2.0", 4, {"version": "2.0"}, "new_version"),
        ("2.0", 4, {}, "new_version"),
        ("1.9", 4, {"version": "2.0"}, "other_version"),
        ("2.0", 3, {"version": "2.0"}, None),
        ("1.0", 4, {"version": "2.0"}, None),
        (None, 4, {"version": "2.0"}, None),
        ("2.0", 4, {"version": "2.0", "version_before": None}, "new_version"),
        ("1.0", 4, {"version": "2.0", "version_before": None}, None),
    ],
)
def test_firmware_is_done_when_the_station_boots_with_another_version(firmware, boots, changes, outcome):
    station = msgspec.structs.replace(STATION, firmware=firmware, boots=boots)
    found = verdict(transfer(FIRMWARE, **changes), station)
    assert (found.outcome if found else None) == outcome


@pytest.mark.parametrize(
    ("state", "boots", "outcome"),
    [
        (transfer(), 3, "no_answer"),
        (transfer(DIAGNOSTICS, **ANSWERED, station_file="d.zip"), 3, "not_arrived"),
        (transfer(DIAGNOSTICS, "Uploading"), 3, "not_arrived"),
        (transfer(FIRMWARE), 3, "no_answer"),
        (transfer(FIRMWARE, **ANSWERED), 3, "not_fetched"),
        (transfer(FIRMWARE, "Downloading", **ANSWERED), 3, "not_installed"),
        (transfer(FIRMWARE, "Downloaded", **MOVED), 4, "same_version"),
    ],
)
def test_silence_ends_it_too(state, boots, outcome):
    station = msgspec.structs.replace(STATION, boots=boots)
    assert rules.given_up(state, station) == Verdict(CommandState.TIMED_OUT, outcome)


@pytest.mark.parametrize(
    ("answer", "signed", "expected"),
    [
        (OrderAnswer("Accepted", accepted=True), False, (CommandState.ANSWERED, None)),
        (OrderAnswer("Rejected", accepted=False), False, (CommandState.REFUSED, "refused")),
        (OrderAnswer("NotImplemented", accepted=False), False, (CommandState.REFUSED, "not_supported")),
        (OrderAnswer("NotSupported", accepted=False), True, (CommandState.REFUSED, "signed_not_supported")),
        (OrderAnswer("InvalidCertificate", accepted=False), True, (CommandState.REFUSED, "certificate_refused")),
        (OrderAnswer("InternalError", accepted=False), False, (CommandState.FAILED, "call_error")),
    ],
)
def test_an_answer_is_read(answer, signed, expected):
    assert reading(transfer(FIRMWARE, signed=signed), answer) == expected


def report(word="Uploading", request=None, kinds=(DIAGNOSTICS,)) -> TransferReport:
    return TransferReport("DiagnosticsStatusNotification", kinds, word, request)


def test_a_word_means_the_newest_that_runs():
    old, new = transfer(id_="old", ended_at=WHEN), transfer(id_="new")
    assert meant([old, new], report()) is new
    assert meant([old], report()) is None
    assert meant([new], report("Idle")) is None
    assert meant([transfer(FIRMWARE)], report()) is None


def test_a_number_means_its_transfer_also_when_it_has_ended():
    old, new = transfer(id_="old", ended_at=WHEN, request=1), transfer(id_="new", request=2)
    assert meant([old, new], report(request=1)) is old
    assert meant([old, new], report(request=2)) is new
    assert meant([old, new], report(request=99)) is new


WORDS = st.sampled_from(
    ["Uploading", "Uploaded", "UploadFailed", "Idle", "Downloading", "Downloaded", "Installing", "Installed",
     "InstallationFailed", "nonsense", "", "UPLOADED"]
)  # fmt: skip


@given(
    kind=st.sampled_from(TransferKind), words=st.lists(WORDS, max_size=6), moved=st.booleans(), answered=st.booleans(),
    boots=st.integers(3, 5), firmware=st.sampled_from(["1.0", "2.0", None]),
)  # fmt: skip
def test_a_file_counts_as_received_only_when_it_is_here_and_as_installed_only_by_word_or_version(
    kind, words, moved, answered, boots, firmware
):
    state = transfer(kind, *words, **(MOVED if moved else {}), **(ANSWERED if answered else {}))
    station = msgspec.structs.replace(STATION, boots=boots, firmware=firmware)
    found = verdict(state, station)
    done = found is not None and found.state is CommandState.DONE
    if kind is FIRMWARE:
        by_word = bool(words) and words[-1].casefold() == "installed"
        assert done == (by_word or (boots > 3 and firmware == "2.0"))
    else:
        assert done == moved
