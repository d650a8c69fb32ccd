"""kill -9 in mid-transaction, again and again: what a station was confirmed is there, and transactions go on.

Two stations speak 1.6, one 2.0.1, one 2.1.

This proves the order "commit, then confirm"; the page cache survives a killed process, so it does not prove that a
power cut loses nothing: the store's own tests look after that.
"""

import asyncio
import random
import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.doubles.box import job_data, running_box
from tests.doubles.charge_point import VirtualChargePoint
from tests.doubles.charge_point_frames import Version

ROUNDS = 50
SEED = 20261123
IDENTITIES: dict[str, Version] = {"CP001": "1.6", "CP002": "1.6", "CP003": "2.0.1", "CP004": "2.1"}


@pytest.mark.timeout(600)
async def test_fifty_kills_in_mid_transaction_lose_nothing_that_was_confirmed(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    async with running_box(tmp_path) as box, AsyncExitStack() as stack:
        await box.import_job(job_data([*IDENTITIES]))
        await box.cli("job", "activate", "1042")
        cps = [
            await stack.enter_async_context(
                VirtualChargePoint(
                    box.ocpp, name, version=version, speed=20, seed=n, meter_interval_s=1.0, answer_timeout_s=3
                )
            )
            for n, (name, version) in enumerate(IDENTITIES.items())
        ]
        for round_ in range(ROUNDS):
            for cp in cps:
                await cp.wait_until(lambda cp=cp: cp.connected and cp.accepted, 30)
                await toggle(cp, round_)
            seen = [len(cp.confirmed) for cp in cps]
            await asyncio.sleep(chance.uniform(0.02, 0.3))
            await box.kill()
            await box.start()
            for cp, before in zip(cps, seen, strict=True):
                assert len(cp.confirmed) >= before
        for cp in cps:
            await cp.wait_until(lambda cp=cp: cp.connected, 30)
            if cp.connector(1).car is not None:
                cp.unplug(1)
            await cp.wait_until(lambda cp=cp: not cp.queue.waiting, 60)
        await box.stop()
        for cp in cps:
            judge = judge_16 if cp.version == "1.6" else judge_2x
            judge(cp, stored(box.data_dir, cp))
        begun = [each for cp in cps for each in cp.transactions if each.start_confirmed]
        assert len(begun) >= ROUNDS
        assert "Traceback" not in box.log


async def toggle(cp: VirtualChargePoint, round_: int) -> None:
    """A car comes in even rounds and goes in odd ones, so that kills fall into running transactions."""
    if round_ % 2 == 0:
        cp.plug_in(1)
        cp.present_tag_later(1, "04A2B3C4D5")
    elif cp.connector(1).car is not None:
        cp.unplug(1)


def stored(data_dir: Path, cp: VirtualChargePoint) -> dict[str, list[dict[str, Any]]]:
    """The ops of this station, by kind, read from the file itself."""
    entity = f"station:{cp.identity.casefold()}"
    found: dict[str, list[dict[str, Any]]] = {}
    database = sqlite3.connect(f"file:{data_dir / 'gatepost.sqlite3'}?mode=ro", uri=True)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for table in ("journal", "telemetry"):
        for (body,) in database.execute(f"SELECT body FROM {table} ORDER BY seq"):
            op = msgspec.json.decode(body)
            if op["entity"] == entity:
                found.setdefault(op["kind"], []).append(op["value"])
    database.close()
    return found


def judge_2x(cp: VirtualChargePoint, ops: dict[str, list[dict[str, Any]]]) -> None:
    """Every confirmed event is there by its transaction and number, and what it measured."""
    ids = {op["name"]: op["id"] for op in ops["transaction.started"]}
    assert len(ids) == len(ops["transaction.started"]), "one record a transaction"
    numbers: dict[int, list[int]] = {}
    for kind in ("transaction.started", "transaction.updated", "transaction.stopped", "meter.values"):
        for op in ops.get(kind, []):
            if "seq_no" in op:
                numbers.setdefault(op.get("transaction", op.get("id")), []).append(op["seq_no"])
    assert all(len(set(each)) == len(each) for each in numbers.values()), "an event that was sent again is one event"
    times = {op.get("station_time") for op in ops["meter.values"]}
    stops = {op["id"]: op for op in ops["transaction.stopped"]}
    for said in cp.confirmed_of("TransactionEvent"):
        id_ = ids[said.payload["transactionInfo"]["transactionId"]]
        assert said.payload["seqNo"] in numbers[id_], said
        for value in said.payload.get("meterValue", []):
            assert value["timestamp"] in times, said
        if said.payload["eventType"] == "Ended":
            closing = said.payload["meterValue"][0]["sampledValue"][0]["value"]
            assert stops[id_]["meter_stop_wh"] == closing, said


def judge_16(cp: VirtualChargePoint, ops: dict[str, list[dict[str, Any]]]) -> None:
    starts = {op["id"]: op for op in ops["transaction.started"]}
    stops = {op["id"]: op for op in ops["transaction.stopped"]}
    assert len(starts) == len(ops["transaction.started"]), "one record a transaction"
    contents = [op["content"] for op in ops["transaction.started"]]
    assert len(set(contents)) == len(contents), "a start that was sent again is one start"
    for said in cp.confirmed_of("StartTransaction"):
        assert said.answer["transactionId"] in starts, said
    for said in cp.confirmed_of("StopTransaction"):
        if said.payload["transactionId"] > 0:
            assert stops[said.payload["transactionId"]]["meter_stop_wh"] == said.payload["meterStop"], said
    times = {op.get("station_time") for op in ops["meter.values"]}
    for said in cp.confirmed_of("MeterValues"):
        for value in said.payload["meterValue"]:
            assert value["timestamp"] in times, said
