"""Group D: 500 charge points come back at once: connect, boot, one status each, plain and over TLS.

D3, what the check of a password costs, is measured where passwords are: in this process, with the product's own check.
Start at `measure`.
"""

import asyncio
import ssl
import time

from bench.figures import Result, median
from bench.targets import Target, box, cpu_s, identity
from bench.wire import Charger
from edge_agent.site.examiner import Examiner
from edge_agent.site.verifiers import slow_verifier

STORM = 500
AT_ONCE = 100
"""Handshakes under way at one time: a listening socket's queue holds about so many."""


async def measure(rounds: int, _seconds: float) -> list[Result]:
    plain = [await _storm(tls=False) for _ in range(rounds)]
    tls = [await _storm(tls=True) for _ in range(rounds)]
    rate, cost = median(each[0] for each in plain), median(each[1] for each in plain)
    tls_cost = median(each[1] for each in tls)
    detail = f"{STORM} chargers"
    return [
        Result("D1", "storm, boots a second", rate, "/s", 1500, 2500, detail),
        Result("D1c", "the same, CPU each", cost, "ms", 0.5, 0.30, detail, smaller_is_better=True),
        Result("D2", "over TLS, CPU each", tls_cost, "ms", 1.3, 0.9, detail, smaller_is_better=True),
        Result("D3", "password check of a connection", await _password_us(), "µs", 1000, 50, smaller_is_better=True),
    ]


async def _storm(*, tls: bool) -> tuple[float, float]:
    """Boots a second, and the box's CPU milliseconds for each."""
    async with box(STORM) as target:
        before, began = cpu_s(target.pid), time.perf_counter()
        room = asyncio.Semaphore(AT_ONCE)
        chargers = await asyncio.gather(*(_come_back(target, n, room, tls=tls) for n in range(STORM)))
        took, used = time.perf_counter() - began, cpu_s(target.pid) - before
        for charger in chargers:
            charger.close()
        return STORM / took, 1e3 * used / STORM


async def _come_back(target: Target, number: int, room: asyncio.Semaphore, *, tls: bool) -> Charger:
    context = client_context() if tls else None
    async with room:
        charger = await Charger.connect(target.tls_port if tls else target.port, identity(number), "ocpp1.6", context)
        boot = {"chargePointVendor": "Bench", "chargePointModel": "B1", "chargePointSerialNumber": str(number)}
        answer = await charger.call("BootNotification", boot)
        if answer["status"] != "Accepted":
            raise ConnectionError(f"boot {answer['status']}")
        await charger.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        return charger


def client_context() -> ssl.SSLContext:
    """Encrypts and asks nothing: the server's cost is what is measured."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _password_us(times: int = 2000) -> float:
    """Of a station that came before: its password was hashed slowly once, and is recognised by a keyed digest."""
    examiner, password = Examiner(), b"correct horse battery"
    verifier = slow_verifier(password)
    await examiner._is_right(verifier, password)
    began = time.perf_counter()
    for _ in range(times):
        if not await examiner._is_right(verifier, password):
            raise RuntimeError("the right password was not recognised")
    return 1e6 * (time.perf_counter() - began) / times
