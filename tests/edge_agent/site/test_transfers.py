"""Transfers from the wish to the end, over a core in memory, with files and stations that a test plays."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from edge_agent.site.ports import Stored
from edge_agent.site.reports import BootReport, TransferReport
from edge_agent.site.transfers import LogRange, TransferPatience
from sitelink.commands import FetchLog, OrderAnswer, ReadTransferMethods, UpdateFirmware
from sitelink.errors import (
    FileGone,
    FirmwareUnsigned,
    NoAnswer,
    NotFound,
    StationOffline,
    TransferRunning,
    TransferUnavailable,
)
from sitelink.ids import StationKey, TransferId
from sitelink.states import CommandState, TransferKind, TransferMethod
from tests.doubles.core import INSTALLER, Core
from tests.doubles.file_news import until
from tests.sitelink.builders import WHEN

DIAGNOSTICS, LOG, FIRMWARE = TransferKind
CP = StationKey("cp001")
QUICK = TransferPatience(upload_s=0.2, firmware_s=0.2, grace_s=0.05)
NAMED = OrderAnswer("Accepted", accepted=True, file="diag.zip")


@asynccontextmanager
async def running(patience=None):
    core = Core(file_patience=patience)
    await core.import_job()
    await core.boot("CP001")
    await core.desk.configured(CP, {"SupportedFileTransferProtocols": None})
    core.stations.answers[FetchLog] = NAMED
    task = asyncio.get_running_loop().create_task(core.transfers.run())
    try:
        yield core
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def core():
    async with running() as core:
        yield core


@pytest.fixture
async def hasty():
    async with running(QUICK) as core:
        yield core


def found(core, id_):
    return core.journal.state.transfers[id_]


async def ask(core, kind=DIAGNOSTICS, **options):
    """Asked for and sent."""
    orders = len(core.stations.orders)
    id_ = await core.transfers.request(CP, kind, INSTALLER, **options)
    await until(lambda: len(core.stations.orders) > orders)
    return id_


async def say(core, word, request=None, kinds=(DIAGNOSTICS,)):
    await core.desk.transfer_told(CP, TransferReport("X", kinds, word, request, {"status": word}))


async def ended(core, id_):
    await until(lambda: not found(core, id_).running)
    await until(lambda: id_ in core.files.closed)
    return found(core, id_)


async def image(core, **options):
    async def chunks():
        yield b"image"

    return (await core.files.add_image("fw.bin", chunks(), **options)).id


async def test_diagnostics_are_asked_for_received_and_ended_by_the_stations_word(core):
    id_ = await ask(core)
    order = core.stations.orders[-1][1]
    assert isinstance(order, FetchLog)
    assert (order.kind, order.location, order.request) == (DIAGNOSTICS, f"http://192.0.2.1/{id_}", 1)
    await until(lambda: found(core, id_).answer == "Accepted")
    await say(core, "Uploading")
    core.transfers.arrived(id_, 5, "ab")
    await until(lambda: found(core, id_).moved_at is not None)
    assert found(core, id_).running
    await say(core, "Uploaded")
    done = await ended(core, id_)
    assert (done.state, done.outcome, done.size, done.sha256) == (CommandState.DONE, "received", 5, "ab")
    assert [each.word for each in done.told] == ["Uploading", "Uploaded"]
    assert (done.by, done.station_file) == (INSTALLER, "diag.zip")


async def test_it_is_written_down_before_anything_is_sent(core):
    seen = []
    core.stations.before_answer = lambda: seen.append([op.kind for op in core.journal.recorded][-1])
    await ask(core)
    assert seen == ["transfer.requested"]


async def test_the_same_id_is_not_run_again(core):
    id_ = TransferId("mine")
    await ask(core, transfer=id_)
    assert await core.transfers.request(CP, DIAGNOSTICS, INSTALLER, transfer=id_) == id_
    assert len(core.stations.orders) == 1


async def test_the_same_id_at_the_same_time_runs_once(core):
    id_ = TransferId("mine")
    both = [core.transfers.request(CP, DIAGNOSTICS, INSTALLER, transfer=id_) for _ in range(2)]
    assert await asyncio.gather(*both) == [id_, id_]
    core.transfers.arrived(id_, 5, "ab")
    await say(core, "Uploaded")
    await ended(core, id_)
    assert len(core.stations.orders) == 1


async def test_two_at_once_of_a_kind_are_refused_and_of_two_kinds_are_not(core):
    await ask(core)
    with pytest.raises(TransferRunning):
        await core.transfers.request(CP, DIAGNOSTICS, INSTALLER)
    await ask(core, LOG)
    assert [order.request for _, order in core.stations.orders] == [1, 2]


async def test_an_absent_station_is_not_asked(core):
    core.stations.online.clear()
    with pytest.raises(StationOffline):
        await core.transfers.request(CP, DIAGNOSTICS, INSTALLER)
    assert core.journal.state.transfers == {}


async def test_a_span_of_time_is_handed_on(core):
    await ask(core, span=LogRange(WHEN, None))
    assert core.stations.orders[-1][1].oldest == WHEN


async def test_a_file_that_came_counts_though_the_station_says_it_failed(hasty):
    id_ = await ask(hasty)
    hasty.transfers.arrived(id_, 5, "ab")
    await say(hasty, "UploadFailed")
    done = await ended(hasty, id_)
    assert (done.state, done.outcome, done.word) == (CommandState.DONE, "received_said_failed", "UploadFailed")


async def test_a_file_that_did_not_come_does_not_count_though_the_station_says_so(hasty):
    id_ = await ask(hasty)
    await say(hasty, "Uploaded")
    done = await ended(hasty, id_)
    assert (done.state, done.outcome) == (CommandState.FAILED, "nothing_arrived")


async def test_a_file_that_arrives_just_after_the_word_counts(core):
    id_ = await ask(core)
    await say(core, "Uploaded")
    core.transfers.arrived(id_, 5, "ab")
    assert (await ended(core, id_)).outcome == "received"


async def test_without_a_last_word_the_file_counts_after_a_while(hasty):
    id_ = await ask(hasty)
    hasty.transfers.arrived(id_, 5, "ab")
    assert (await ended(hasty, id_)).outcome == "received_no_word"


async def test_why_an_attempt_failed_is_told_with_the_end(hasty):
    id_ = await ask(hasty)
    hasty.transfers.failed(id_, "too_large", 99)
    await say(hasty, "UploadFailed")
    done = await ended(hasty, id_)
    assert (done.outcome, done.outcome_detail) == ("upload_failed", {"problem": "too_large"})


async def test_attempts_are_not_recorded_without_end(core):
    id_ = await ask(core)
    for _ in range(100):
        core.transfers.failed(id_, "cut_off", 1)
        await asyncio.sleep(0)
    await until(lambda: found(core, id_).tries == 20)
    core.transfers.failed(id_, "cut_off", 1)
    await say(core, "Uploading")
    assert found(core, id_).tries == 20


async def test_silence_ends_it(hasty):
    assert (await ended(hasty, await ask(hasty))).outcome == "not_arrived"


async def test_bytes_that_arrive_are_a_sign_of_life():
    async with running(TransferPatience(upload_s=1, grace_s=1)) as core:
        id_ = await ask(core)
        for size in range(1, 16):
            await asyncio.sleep(0.1)
            core.files.sizes[id_] = size
            core.transfers.progressed(id_)
        assert found(core, id_).running
        assert core.jobs.snapshot().moving == {id_: 15}


async def test_a_station_that_names_no_file_has_nothing_to_upload(hasty):
    hasty.stations.answers[FetchLog] = OrderAnswer("Accepted", accepted=True)
    assert (await ended(hasty, await ask(hasty))).outcome == "nothing_to_upload"


@pytest.mark.parametrize(
    ("answer", "state", "outcome"),
    [
        (OrderAnswer("Rejected", accepted=False), CommandState.REFUSED, "refused"),
        (OrderAnswer("NotImplemented", accepted=False), CommandState.REFUSED, "not_supported"),
        (OrderAnswer("InternalError", accepted=False), CommandState.FAILED, "call_error"),
        (StationOffline(identity="CP001", sent=False), CommandState.FAILED, "offline"),
    ],
)
async def test_a_refusal_ends_it_and_closes_the_way(core, answer, state, outcome):
    core.stations.answers[FetchLog] = answer
    done = await ended(core, await ask(core))
    assert (done.state, done.outcome) == (state, outcome)


async def test_a_station_that_answers_late_is_followed_all_the_same(core):
    core.stations.answers[FetchLog] = NoAnswer(identity="CP001", action="GetDiagnostics", after_s=30)
    id_ = await ask(core)
    core.transfers.arrived(id_, 5, "ab")
    await until(lambda: found(core, id_).moved_at is not None)
    await core.stations.late(NAMED)
    assert (found(core, id_).answer, found(core, id_).late) == ("Accepted", True)
    await say(core, "Uploaded")
    assert (await ended(core, id_)).outcome == "received"


async def test_a_way_that_cannot_be_opened_is_said(core):
    core.files.refusal = TransferUnavailable(reason="ftp_port")
    id_ = await core.transfers.request(CP, DIAGNOSTICS, INSTALLER, method=TransferMethod.FTP)
    assert (await ended(core, id_)).outcome == "not_opened"
    assert core.stations.orders == []


async def test_words_that_mean_no_transfer_are_kept_for_the_record(core):
    await say(core, "Idle")
    assert core.journal.recorded[-1].kind == "station.message"


async def test_the_same_word_twice_is_recorded_once(core):
    id_ = await ask(core)
    await say(core, "Uploading")
    before = len(core.journal.recorded)
    await say(core, "Uploading")
    assert len(core.journal.recorded) == before
    assert len(found(core, id_).told) == 1


# ---- the file ----


async def test_the_file_can_be_fetched_once_it_is_here(core, tmp_path):
    id_ = await ask(core)
    with pytest.raises(FileGone):
        core.transfers.file(id_)
    core.files.on_disk[found(core, id_).file] = Stored(tmp_path / "x", 5, "ab")
    core.transfers.arrived(id_, 5, "ab")
    await say(core, "Uploaded")
    await ended(core, id_)
    assert core.transfers.file(id_) == tmp_path / "x"
    core.transfers.removed(found(core, id_).file)
    await until(lambda: found(core, id_).file is None)
    with pytest.raises(FileGone):
        core.transfers.file(id_)
    with pytest.raises(NotFound):
        core.transfers.file(TransferId("unknown"))


async def test_names_on_the_box_are_random(core):
    names = set()
    for kind in (DIAGNOSTICS, LOG):
        names.add(found(core, await ask(core, kind)).file)
    assert len(names) == 2
    assert all(len(name) > 40 for name in names)


# ---- after a restart ----


async def test_what_was_under_way_at_a_restart_is_interrupted_unless_the_file_is_whole(core):
    lost, whole = await ask(core), await ask(core, LOG)
    kept = found(core, whole).file
    core.files.on_disk[kept] = Stored(Path("x"), 9, "cd")
    await core.transfers.interrupt_unfinished()
    assert (found(core, lost).state, found(core, lost).outcome) == (CommandState.INTERRUPTED, "interrupted")
    assert (found(core, whole).outcome, found(core, whole).size) == ("received_no_word", 9)
    assert set(core.files.tidied) == {kept}


async def test_a_file_that_is_gone_from_the_disk_is_no_longer_offered(core):
    id_ = await ask(core)
    core.transfers.arrived(id_, 5, "ab")
    await say(core, "Uploaded")
    await ended(core, id_)
    await core.transfers.interrupt_unfinished()
    assert found(core, id_).file is None
    assert found(core, id_).outcome == "received"


async def test_words_after_a_restart_are_shown_and_change_no_end(core):
    id_ = await ask(core, LOG)
    await core.transfers.interrupt_unfinished()
    await say(core, "UploadFailure", request=1, kinds=(LOG,))
    assert (found(core, id_).word, found(core, id_).outcome) == ("UploadFailure", "interrupted")


# ---- firmware ----


async def boot_with(core, version):
    await core.desk.boot("CP001", "192.0.2.7", BootReport("Acme", "Post 2", "SN-CP001", version))


async def test_firmware_is_done_when_the_station_boots_with_the_new_version(core):
    id_ = await ask(core, FIRMWARE, image=await image(core, version="2.0"), unsigned=True)
    order = core.stations.orders[-1][1]
    assert isinstance(order, UpdateFirmware)
    assert (order.location, order.signature) == (f"http://192.0.2.1/{id_}/fw.bin", None)
    for word in ("Downloading", "Downloaded", "Installing"):
        await say(core, word, kinds=(FIRMWARE,))
    core.transfers.arrived(id_, 5, "ab")
    await until(lambda: found(core, id_).moved_at is not None)
    assert found(core, id_).running
    await boot_with(core, "2.0")
    done = await ended(core, id_)
    assert (done.state, done.outcome, done.outcome_detail["version"]) == (CommandState.DONE, "new_version", "2.0")


async def test_firmware_is_not_done_by_a_boot_with_the_same_version(hasty):
    id_ = await ask(hasty, FIRMWARE, image=await image(hasty, version="2.0"), unsigned=True)
    hasty.transfers.arrived(id_, 5, "ab")
    await boot_with(hasty, "1.0")
    done = await ended(hasty, id_)
    assert (done.state, done.outcome) == (CommandState.TIMED_OUT, "same_version")


async def test_a_signed_image_is_installed_with_its_signature(core):
    await ask(core, FIRMWARE, image=await image(core, signature="c2ln", certificate="PEM"))
    order = core.stations.orders[-1][1]
    assert (order.signature, order.certificate) == ("c2ln", "PEM")


async def test_an_unsigned_image_needs_an_express_wish(core):
    with pytest.raises(FirmwareUnsigned):
        await core.transfers.request(CP, FIRMWARE, INSTALLER, image=await image(core))
    assert core.journal.state.transfers == {}


async def test_a_signed_image_can_be_installed_without_signature_by_express_wish(core):
    signed = await image(core, signature="c2ln", certificate="PEM")
    await ask(core, FIRMWARE, image=signed, unsigned=True)
    assert core.stations.orders[-1][1].signature is None


async def test_a_station_without_signed_updates_is_not_silently_given_an_unsigned_one(core):
    core.stations.answers[UpdateFirmware] = OrderAnswer("NotSupported", accepted=False)
    signed = await image(core, signature="c2ln", certificate="PEM")
    done = await ended(core, await ask(core, FIRMWARE, image=signed))
    assert (done.outcome, len(core.stations.orders)) == ("signed_not_supported", 1)


async def test_an_image_that_is_not_there_is_not_installed(core):
    with pytest.raises(NotFound):
        await core.transfers.request(CP, FIRMWARE, INSTALLER, image="nothing")


async def test_no_location_is_in_the_record(core):
    """The address of a way is a secret: it is told to the station and to nobody else."""
    await ask(core)
    await ask(core, FIRMWARE, image=await image(core), unsigned=True)
    assert b"192.0.2.1/" not in msgspec.json.encode(core.journal.recorded)


# ---- by which method ----


async def test_a_station_is_asked_once_how_it_sends_files(core):
    await core.boot("CP002")
    other, name = StationKey("cp002"), "SupportedFileTransferProtocols"
    core.stations.answers[ReadTransferMethods] = OrderAnswer("Accepted", accepted=True, payload={name: "FTP"})
    for kind in (DIAGNOSTICS, LOG):
        id_ = await core.transfers.request(other, kind, INSTALLER)
        assert found(core, id_).method is TransferMethod.FTP
    assert sum(isinstance(order, ReadTransferMethods) for _, order in core.stations.orders) == 1
    assert core.journal.state.stations[other].configuration == {name: "FTP"}


@pytest.mark.parametrize(
    "answer",
    [NoAnswer(identity="x", action="GetConfiguration", after_s=30), OrderAnswer("NotSupported", accepted=False)],
)
async def test_one_that_does_not_say_is_asked_for_its_file_all_the_same(core, answer):
    await core.boot("CP002")
    core.stations.answers[ReadTransferMethods] = answer
    id_ = await core.transfers.request(StationKey("cp002"), DIAGNOSTICS, INSTALLER)
    assert found(core, id_).method is TransferMethod.HTTP
