"""Every step of a file in words, and files of charge points as attachments only."""

from datetime import UTC, datetime

import msgspec
import pytest

from sitelink.ids import StationKey, TransferId
from sitelink.model import SiteState, Told, Transfer
from sitelink.ops import BOX
from sitelink.states import CommandState, TransferKind, TransferMethod
from web_ui.ports import Relay, Snapshot
from web_ui.transfer_views import transfer_view, transfer_views

WHEN = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
DIAGNOSTICS, LOG, FIRMWARE = TransferKind
MOVED = {"moved_at": WHEN, "size": 12_400_000, "sha256": "ab"}


def transfer(kind=DIAGNOSTICS, *words, **changes):
    return Transfer(
        id=TransferId("t1"), kind=kind, station=StationKey("cp001"), request=7, method=TransferMethod.HTTP, by=BOX,
        requested_at=WHEN, told=tuple(Told(word, WHEN) for word in words), **{"file": "a.bin", **changes},
    )  # fmt: skip


def snapshot(*transfers, moving=None):
    state = SiteState()
    for each in transfers:
        state.put(each)
    return Snapshot(state, WHEN, 1, {}, {}, Relay(), None, "ws://192.0.2.1/", moving=moving or {})


def ended(outcome, kind=DIAGNOSTICS, *words, **changes):
    return transfer(kind, *words, state=CommandState.DONE, outcome=outcome, ended_at=WHEN, **changes)


@pytest.mark.parametrize(
    ("state", "so_far", "step"),
    [
        (transfer(), None, "The box has asked the charge point and waits for its answer."),
        (transfer(answer="Accepted"), None, "The charge point said “Accepted”; nothing has gone over yet."),
        (transfer(DIAGNOSTICS, "Uploading"), None, "The charge point says “Uploading”."),
        (transfer(DIAGNOSTICS, "Uploading"), 1_500_000, "1.5 MB have arrived."),
        (transfer(problem="too_slow"), None, "The upload was too slow and was ended; the box waits for the next try."),
        (transfer(problem="odd"), None, "An upload came to nothing; the box waits for the next try."),
        (transfer(**MOVED), None,
         "The whole file is here (12.4 MB); the charge point has not said that it is done."),
        (transfer(FIRMWARE, size=12_400_000), 2_000, "2.0 kB of 12.4 MB have been fetched."),
        (transfer(FIRMWARE, **MOVED), None,
         "The charge point has fetched the whole image; it is not installed yet."),
        (transfer(FIRMWARE, "Installing", **MOVED), None, "The image is fetched; the charge point says “Installing”."),
        (ended("received", **MOVED), None, "Received whole (12.4 MB)."),
        (ended("received_said_failed", DIAGNOSTICS, "UploadFailed", **MOVED), None,
         "Received whole (12.4 MB), although the charge point said “UploadFailed”."),
        (ended("nothing_arrived", DIAGNOSTICS, "Uploaded"), None,
         "The charge point said “Uploaded”, but nothing arrived here."),
        (ended("upload_failed", outcome_detail={"problem": "too_large"}), None,
         "The file is larger than the box takes."),
        (ended("new_version", FIRMWARE, outcome_detail={"version": "2.0", "wanted": "2.0"}), None,
         "Installed: the charge point runs version 2.0."),
        (ended("other_version", FIRMWARE, outcome_detail={"version": "1.9", "wanted": "2.0"}), None,
         "It runs version 1.9 now, which is not the one expected (2.0)."),
        (ended("call_error", answer="InternalError"), None, "It reported an error instead: InternalError."),
    ],
)  # fmt: skip
def test_the_step_is_said_exactly(state, so_far, step):
    moving = {} if so_far is None else {state.id: so_far}
    assert transfer_view(state, snapshot(state, moving=moving)).step == step


def test_the_newest_comes_first_and_only_the_stations_own():
    first, second = transfer(), msgspec.structs.replace(transfer(), id=TransferId("t2"))
    other = msgspec.structs.replace(transfer(), id=TransferId("t3"), station=StationKey("cp002"))
    assert [each.id for each in transfer_views(snapshot(first, second, other), StationKey("cp001"))] == ["t2", "t1"]


@pytest.mark.parametrize(
    ("state", "has_file"),
    [
        (transfer(), False),
        (transfer(**MOVED), True),
        (transfer(**MOVED, file=None), False),
        (transfer(FIRMWARE, **MOVED), False),
    ],
)
def test_a_file_is_offered_when_it_is_here(state, has_file):
    assert transfer_view(state, snapshot(state)).file is has_file
