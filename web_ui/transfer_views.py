"""Files on their way, as the page and the APIs show them: the exact step, in words, with what really went over.

Pure. Start at `transfer_views`.
"""

from datetime import datetime
from typing import Any

import msgspec

from sitelink.ids import StationKey
from sitelink.model import Transfer
from sitelink.ops import Author
from sitelink.states import CommandState, TransferKind, TransferMethod
from web_ui import wording
from web_ui.ports import Snapshot

TITLES = {
    TransferKind.DIAGNOSTICS: "Diagnostics",
    TransferKind.SECURITY_LOG: "Security log",
    TransferKind.FIRMWARE: "Firmware",
}
AS_HOPED = frozenset({"received", "received_no_word", "new_version", "installed"})


class ToldView(msgspec.Struct):
    """A word of the charge point, as it came."""

    word: str
    at: datetime


class TransferView(msgspec.Struct):
    """`so_far` and `size` are bytes; `moved` whether the whole file has gone over; `file` whether it can be fetched.

    `title` names the kind for people, `step` says in one sentence how far it is, `next_step` what to do about it;
    `tone` is ok, warn, bad or "". `word` is the charge point's last.
    """

    id: str
    kind: TransferKind
    title: str
    tone: str
    state: CommandState
    running: bool
    method: TransferMethod
    request: int
    by: Author
    step: str
    next_step: str
    answer: str | None
    word: str | None
    told: tuple[ToldView, ...]
    so_far: int | None
    size: int | None
    sha256: str | None
    moved: bool
    file: bool
    station_file: str | None
    version: str | None
    version_before: str | None
    signed: bool
    problem: str | None
    outcome: str | None
    outcome_detail: dict[str, Any]
    requested_at: datetime
    answered_at: datetime | None
    moved_at: datetime | None
    ended_at: datetime | None


def transfer_views(snapshot: Snapshot, station: StationKey) -> list[TransferView]:
    """Newest first."""
    return [transfer_view(each, snapshot) for each in reversed(snapshot.state.transfers_of(station))]


def transfer_view(transfer: Transfer, snapshot: Snapshot) -> TransferView:
    so_far = snapshot.moving.get(transfer.id)
    code, fields = _step(transfer, so_far)
    fields = {**fields, "now": snapshot.now}
    return TransferView(
        id=transfer.id, kind=transfer.kind, title=TITLES[transfer.kind], tone=_tone(transfer),
        state=transfer.state, running=transfer.running, method=transfer.method,
        request=transfer.request, by=transfer.by, step=wording.sentence(code, fields),
        next_step=wording.next_step(code, fields), answer=transfer.answer, word=transfer.word,
        told=tuple(ToldView(each.word, each.at) for each in transfer.told), so_far=so_far, size=transfer.size,
        sha256=transfer.sha256, moved=transfer.moved_at is not None,
        file=transfer.file is not None and transfer.moved_at is not None and transfer.kind is not TransferKind.FIRMWARE,
        station_file=transfer.station_file, version=transfer.version, version_before=transfer.version_before,
        signed=transfer.signed, problem=transfer.problem, outcome=transfer.outcome,
        outcome_detail=transfer.outcome_detail, requested_at=transfer.requested_at, answered_at=transfer.answered_at,
        moved_at=transfer.moved_at, ended_at=transfer.ended_at,
    )  # fmt: skip


def _step(transfer: Transfer, so_far: int | None) -> tuple[str, dict[str, Any]]:
    """The code of the step a transfer is at, with what its sentence speaks of."""
    word = transfer.word or transfer.answer or ""
    fields: dict[str, Any] = {"word": word, "answer": transfer.answer, "version": transfer.version}
    if not transfer.running:
        detail = {key: value for key, value in transfer.outcome_detail.items() if value is not None}
        size = wording.size(transfer.size)
        return f"transfer_{transfer.outcome or 'not_run'}", {
            **fields,
            **detail,
            "size": size,
        }
    gone = {**fields, "so_far": wording.size(so_far), "size": wording.size(transfer.size)}
    if transfer.kind is TransferKind.FIRMWARE:
        return _firmware_step(transfer, so_far), gone
    if transfer.moved_at is not None:
        return "transfer_file_here", gone
    if so_far:
        return "transfer_coming", gone
    if transfer.problem is not None:
        return "transfer_tried", {**gone, "problem": transfer.problem}
    return _asked(transfer), gone


def _firmware_step(transfer: Transfer, so_far: int | None) -> str:
    if transfer.moved_at is not None:
        return "transfer_fetched_said" if transfer.told else "transfer_fetched"
    if so_far:
        return "transfer_fetching"
    return _asked(transfer)


def _asked(transfer: Transfer) -> str:
    if transfer.told:
        return "transfer_said"
    return "transfer_answered" if transfer.answer is not None else "transfer_asked"


def _tone(transfer: Transfer) -> str:
    if transfer.running:
        return ""
    if transfer.state is CommandState.DONE:
        return "ok" if transfer.outcome in AS_HOPED else "warn"
    return "bad"
