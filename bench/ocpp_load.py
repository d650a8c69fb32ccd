"""Load: N charge points that charge and send MeterValues every second, while a page is watched, against a real box.

    python -m bench.ocpp_load                      200 charge points for 30 s, every number printed
    python -m bench.ocpp_load --echo               the same against a server that only echoes: the floor
    python -m bench.ocpp_load --charge-points 50 --seconds 60 --period 0.25 --json

Starts `edge-agent run` as its own process with a state of its own, imports a job with all the charge points, connects
them all at once (boot, statuses, a transaction each), then measures for the given seconds. An answer's time is taken in
this client, from before the send to the parsed answer, so it includes this client's own delays; its CPU share is
printed beside the box's, because both live on the same machine. Stops by itself; exit code 1 when anything failed.
Linux only (/proc). Start at `measure`.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from bench.targets import cpu_s, fsync_ms
from tests.doubles.demo_processes import (
    ROOT,
    BoxFailed,
    as_options,
    end,
    environment,
    free_port,
    run_command,
    start_box,
)

ANSWER_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 60.0
PAGE_PERIOD_S = 0.5


@dataclass(slots=True)
class Tally:
    """What the load saw. Times in seconds; `answers` only of the measured span, by action."""

    measuring: bool = False
    answers: dict[str, list[float]] = field(default_factory=dict)
    fetched: dict[str, list[float]] = field(default_factory=dict)
    """What a phone fetched: "page", "data", "region"."""
    sse_events: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def answered(self, action: str, seconds: float) -> None:
        if self.measuring:
            self.answers.setdefault(action, []).append(seconds)


@dataclass(frozen=True, slots=True)
class Target:
    """What is measured. `http_url` None: it has no page. `token` opens the job."""

    pid: int
    ocpp_url: str
    http_url: str | None = None
    token: str = ""
    data_dir: Path | None = None


class LoadStation:
    """As little as a charge point can be: one socket, one CALL at a time."""

    def __init__(self, session: aiohttp.ClientSession, url: str, number: int, tally: Tally) -> None:
        self._session = session
        self._url = f"{url}/{identity(number)}"
        self._number = number
        self._tally = tally
        self._count = 0
        self._energy_wh = 10_000 + number
        self._transaction_id = 0
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def begin(self) -> None:
        """Connect, boot, tell the statuses, start a transaction. Raises on anything unexpected."""
        self._socket = await self._session.ws_connect(self._url, protocols=("ocpp1.6",), autoping=True)
        boot = {
            "chargePointVendor": "Load",
            "chargePointModel": "L1",
            "chargePointSerialNumber": f"SN{self._number}",
            "firmwareVersion": "1",
        }
        answer = await self.call("BootNotification", boot)
        if answer.get("status") != "Accepted":
            raise RuntimeError(f"boot {answer.get('status')}")
        for connector, status in ((0, "Available"), (1, "Preparing")):
            await self.call("StatusNotification", self._status(connector, status))
        start = {"connectorId": 1, "idTag": "LOAD", "meterStart": self._energy_wh, "timestamp": stamp()}
        self._transaction_id = (await self.call("StartTransaction", start))["transactionId"]
        await self.call("StatusNotification", self._status(1, "Charging"))

    async def charge(self, period_s: float, until: float, offset_s: float) -> None:
        """MeterValues every `period_s`, from `offset_s` on, until the loop's clock says `until`."""
        loop = asyncio.get_running_loop()
        due = loop.time() + offset_s
        while due < until:
            await asyncio.sleep(due - loop.time())
            self._energy_wh += 3
            await self.call("MeterValues", self._meter_values())
            due = max(due + period_s, loop.time() - period_s)

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        assert self._socket is not None
        self._count += 1
        message_id = str(self._count)
        began = time.perf_counter()
        await self._socket.send_str(json.dumps([2, message_id, action, payload]))
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            answer = await self._answer_to(message_id)
        self._tally.answered(action, time.perf_counter() - began)
        return answer

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def _answer_to(self, message_id: str) -> dict[str, Any]:
        assert self._socket is not None
        while True:
            message = await self._socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionError(f"socket ended: {message.type.name}")
            frame = json.loads(message.data)
            if frame[0] == 2:
                await self._socket.send_str(json.dumps([4, frame[1], "NotSupported", "", {}]))
            elif frame[1] == message_id and frame[0] == 3:
                return dict(frame[2])
            else:
                raise RuntimeError(f"CALLERROR {frame[2]}" if frame[0] == 4 else "foreign answer")

    def _status(self, connector: int, status: str) -> dict[str, Any]:
        return {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": stamp()}

    def _meter_values(self) -> dict[str, Any]:
        readings = [
            ("Energy.Active.Import.Register", "Wh", str(self._energy_wh)),
            ("Power.Active.Import", "W", "11021.5"),
        ]
        values = [{"value": value, "measurand": name, "unit": unit} for name, unit, value in readings]
        for phase in ("L1", "L2", "L3"):
            values.append({"value": "15.97", "measurand": "Current.Import", "unit": "A", "phase": phase})
            values.append({"value": "230.1", "measurand": "Voltage", "unit": "V", "phase": phase})
        sampled = {"timestamp": stamp(), "sampledValue": values}
        return {"connectorId": 1, "transactionId": self._transaction_id, "meterValue": [sampled]}


def identity(number: int) -> str:
    return f"LOAD{number:04}"


def stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def measure(target: Target, *, stations: int, seconds: float, period_s: float, phones: int) -> dict[str, Any]:
    """All numbers of one run; times in milliseconds, memory in MB, CPU in percent of one core."""
    tally = Tally()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        fleet = [LoadStation(session, target.ocpp_url, number, tally) for number in range(stations)]
        boot_s = await _begin_all(fleet, tally)
        async with asyncio.TaskGroup() as tasks:
            watching = [tasks.create_task(watch) for watch in _watchers(session, target, tally, phones)]
            await asyncio.sleep(1.0)
            before, own_before, began = cpu_s(target.pid), cpu_s(os.getpid()), time.perf_counter()
            tally.measuring = True
            until = asyncio.get_running_loop().time() + seconds
            results = await asyncio.gather(
                *(each.charge(period_s, until, place * period_s / stations) for place, each in enumerate(fleet)),
                return_exceptions=True,
            )
            tally.measuring = False
            took = time.perf_counter() - began
            box_cpu, own_cpu = cpu_s(target.pid) - before, cpu_s(os.getpid()) - own_before
            memory = memory_mb(target.pid)
            for watch in watching:
                watch.cancel()
        _count_failures(results, tally)
        await asyncio.gather(*(each.close() for each in fleet), return_exceptions=True)
    times = [seconds for answers in tally.answers.values() for seconds in answers]
    fsync = fsync_ms(target.data_dir) if target.data_dir else None
    return {
        "charge_points": stations,
        "phones": phones if target.http_url else 0,
        "seconds": round(took, 1),
        "messages": len(times),
        "messages_per_s": round(len(times) / took, 1),
        "answer_ms": summary_ms(times),
        "boot_all_s": round(boot_s, 2),
        "box_rss_mb": memory["VmRSS"],
        "box_peak_rss_mb": memory["VmHWM"],
        "box_cpu_percent": round(100 * box_cpu / took, 1),
        "box_cpu_us_per_message": round(1e6 * box_cpu / max(1, len(times))),
        "load_cpu_percent": round(100 * own_cpu / took, 1),
        "page_ms": summary_ms(tally.fetched.get("page", [])),
        "page_data_ms": summary_ms(tally.fetched.get("data", [])),
        "page_region_ms": summary_ms(tally.fetched.get("region", [])),
        "page_regions": len(tally.fetched.get("region", [])),
        "sse_events": tally.sse_events,
        "fsync_ms_p50": round(fsync, 3) if fsync is not None else None,
        "errors": dict(tally.errors),
    }


async def _begin_all(fleet: list[LoadStation], tally: Tally) -> float:
    """Connect them all at once; how many seconds until the last one charges."""
    began = time.perf_counter()
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        results = await asyncio.gather(*(each.begin() for each in fleet), return_exceptions=True)
    _count_failures(results, tally)
    return time.perf_counter() - began


def _count_failures(results: list[BaseException | None], tally: Tally) -> None:
    for result in results:
        if result is not None:
            tally.errors[f"{type(result).__name__}: {result}"[:120]] += 1


def _watchers(
    session: aiohttp.ClientSession, target: Target, tally: Tally, phones: int
) -> list[Coroutine[Any, Any, None]]:
    if target.http_url is None:
        return []
    watching = [Phone(session, target.http_url, target.token, tally) for _ in range(phones)]
    return [part for phone in watching for part in (phone.reload(), phone.follow(), phone.refresh())]


class Phone:
    """Watches the page as the page's own script does, and reloads it all the time besides."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, tally: Tally) -> None:
        self._session = session
        self._url = url
        self._token = token
        self._tally = tally
        self._stale: set[str] = set()

    async def reload(self) -> None:
        """The whole page, and the whole page as data, every PAGE_PERIOD_S."""
        async with self._session.post(f"{self._url}/api/session", json={"token": self._token}) as response:
            if response.status != 200:
                self._tally.errors[f"session HTTP {response.status}"] += 1
        while True:
            await self._fetch("page", "/j")
            await self._fetch("data", "/api/v1/job")
            await asyncio.sleep(PAGE_PERIOD_S)

    async def follow(self) -> None:
        """Note what went stale."""
        headers = {"Authorization": f"Bearer {self._token}"}
        timeout = aiohttp.ClientTimeout(total=None)
        while True:
            try:
                url = f"{self._url}/api/v1/job/events"
                async with self._session.get(url, headers=headers, timeout=timeout) as response:
                    if response.status != 200:
                        self._tally.errors[f"events HTTP {response.status}"] += 1
                    async for line in response.content:
                        self._take(line)
            except aiohttp.ClientError as exc:
                self._tally.errors[f"events {type(exc).__name__}"] += 1
            await asyncio.sleep(1.0)

    async def refresh(self) -> None:
        """Fetch what went stale, each region once a round."""
        while True:
            stale, self._stale = self._stale, set()
            for region in sorted(stale):
                await self._fetch("region", f"/j/regions/{region}")
            await asyncio.sleep(PAGE_PERIOD_S)

    def _take(self, line: bytes) -> None:
        name, _, value = line.decode().partition(":")
        if name == "data" and self._tally.measuring:
            self._tally.sse_events += 1
            self._stale.add(str(json.loads(value).get("region", "")))

    async def _fetch(self, what: str, path: str) -> None:
        began = time.perf_counter()
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with self._session.get(self._url + path, headers=headers) as response:
                await response.read()
                if response.status != 200:
                    self._tally.errors[f"{what} HTTP {response.status}"] += 1
                elif self._tally.measuring:
                    self._tally.fetched.setdefault(what, []).append(time.perf_counter() - began)
        except aiohttp.ClientError as exc:
            self._tally.errors[f"{what} {type(exc).__name__}"] += 1


def summary_ms(times_s: list[float]) -> dict[str, float] | None:
    """p50, p99 and the maximum in milliseconds; None without any."""
    if not times_s:
        return None
    ordered = sorted(times_s)
    at = {"p50": 0.50, "p99": 0.99}
    found = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in at.items()}
    return {name: round(1e3 * value, 2) for name, value in {**found, "max": ordered[-1]}.items()}


def memory_mb(pid: int) -> dict[str, float]:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {key: round(int(lines[key].split()[0]) / 1024, 1) for key in ("VmRSS", "VmHWM")}


@asynccontextmanager
async def real_box(stations: int) -> AsyncIterator[Target]:
    """A box of its own with a job that lists all the stations. Raises BoxFailed."""
    folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-"))
    data_dir = folder / "box"
    settings = {"data_dir": str(data_dir), "http.port": str(free_port(0)), "ocpp.port": str(free_port(0))}
    settings["log.level"] = "warning"
    try:
        box = await start_box(settings, folder / "box.log")
        try:
            rows = [{"name": f"Bay {n}", "identity": identity(n), "active": True} for n in range(stations)]
            job_file = folder / "job.json"
            job_file.write_text(json.dumps({"number": "L1", "site": {"name": "Load"}, "charge_points": rows}))
            job = await run_command("job", "import", str(job_file), *as_options({"data_dir": str(data_dir)}))
            http_url = f"http://127.0.0.1:{settings['http.port']}"
            yield Target(box.pid, f"ws://127.0.0.1:{settings['ocpp.port']}", http_url, job["token"], data_dir)
        finally:
            await end(box)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def echo() -> AsyncIterator[Target]:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.reference_server", "raw"),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        port = int(await server.stdout.readline())
        yield Target(server.pid, f"ws://127.0.0.1:{port}")
    finally:
        await end(server)


async def run(options: argparse.Namespace) -> dict[str, Any]:
    target = echo() if options.echo else real_box(options.charge_points)
    async with target as found:
        return await measure(
            found,
            stations=options.charge_points,
            seconds=options.seconds,
            period_s=options.period,
            phones=options.phones,
        )


def print_plainly(numbers: dict[str, Any]) -> None:
    for name, value in numbers.items():
        if isinstance(value, dict):
            value = "  ".join(f"{key} {inner}" for key, inner in value.items()) or "none"
        print(f"{name.replace('_', ' '):24} {'not measured' if value is None else value}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="ocpp_load", description="Charge points that meter every second.")
    parser.add_argument("--charge-points", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--period", type=float, default=1.0, help="seconds between MeterValues of one charge point")
    parser.add_argument("--phones", type=int, default=1, help="open pages that reload twice a second")
    parser.add_argument("--echo", action="store_true", help="against a server that only echoes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        numbers = asyncio.run(run(options))
    except BoxFailed as failed:
        sys.exit(f"ocpp_load: {failed}")
    print(json.dumps(numbers)) if options.json else print_plainly(numbers)
    sys.exit(1 if numbers["errors"] or not numbers["messages"] else 0)


if __name__ == "__main__":
    main()
