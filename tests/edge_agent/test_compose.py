"""The box put together: it serves on ports of its own, keeps its key, and says what is in the way."""

import asyncio
import json
import socket
import ssl
import subprocess
import sys
import uuid
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from edge_agent import compose, control
from edge_agent.config import Http, Settings
from programs.settings import load
from sitelink.ids import StationKey
from tests.doubles.charge_point import VirtualChargePoint


def settings(data_dir: Path, *overrides: str) -> Settings:
    local = [f"data_dir={data_dir}", "http.bind=127.0.0.1", "http.port=0", "ocpp.bind=127.0.0.1", "ocpp.port=0"]
    return load(Settings, None, [*local, *overrides])


async def test_a_box_serves_charge_points_pages_and_its_command_line(tmp_path: Path) -> None:
    wanted = settings(tmp_path / "data")
    job = {"number": "7", "site": {"name": "Yard"}, "charge_points": [{"name": "Bay 1", "identity": "CP001"}]}
    async with compose.serving(wanted) as box:
        made = await control.ask(wanted.data_dir, "job.import", {"file": job})
        async with VirtualChargePoint(f"ws://127.0.0.1:{box.ocpp_port}", "CP001") as station:
            await station.wait_until(lambda: station.accepted)
            assert box.store.journal.state.stations[StationKey("cp001")].connected
        headers = {"Authorization": f"Bearer {made['token']}"}
        async with aiohttp.ClientSession(f"http://127.0.0.1:{box.http_port}") as session:
            async with session.get("/healthz") as response:
                assert (response.status, await response.json()) == (200, {"status": "ok"})
            async with session.get("/api/v1/job", headers=headers) as response:
                assert (await response.json())["total"] == 1
            async with session.get("/metrics") as response:
                figures = await response.text()
                assert "gatepost_charge_points_known 1.0" in figures
                assert 'gatepost_ocpp_events_total{what="connections"} 1.0' in figures
        found = await control.ask(wanted.data_dir, "doctor", {})
        assert found["ports"] == {
            "http.port": box.http_port, "ocpp.port": box.ocpp_port,
            "http.tls_port": box.http_tls_port, "ocpp.tls_port": box.ocpp_tls_port,
        }  # fmt: skip
        assert {each["name"] for each in found["certificates"]} == {"site CA", "server rsa", "server ecdsa"}
        assert not any(each["soon"] for each in found["certificates"])
        assert (found["running"], found["status"]) == (True, "ok")
        await control.ask(wanted.data_dir, "backup", {"file": str(tmp_path / "copy")})
        assert (tmp_path / "copy").stat().st_size > 0
    async with compose.serving(wanted) as again:
        assert [each.number for each in again.jobs.jobs()] == ["7"]


async def test_pages_and_charge_points_are_served_encrypted_by_names_the_sites_root_vouches_for(tmp_path: Path) -> None:
    wanted = settings(tmp_path / "data")
    job = {"number": "7", "site": {"name": "Yard"}, "charge_points": [{"name": "Bay 1", "identity": "CP001"}]}
    async with compose.serving(wanted) as box, aiohttp.ClientSession() as session:
        made = await control.ask(wanted.data_dir, "job.import", {"file": job})
        async with session.get(f"http://127.0.0.1:{box.http_port}/ca.pem") as response:
            trusted = ssl.create_default_context(cadata=await response.text())
        page = f"https://localhost:{box.http_tls_port}"
        async with session.post(
            f"{page}/api/session", json={"token": made["token"]}, ssl=trusted, headers={"Origin": page}
        ) as response:
            (cookie,) = response.cookies.values()
            assert cookie.key.startswith("__Host-")
            assert cookie["secure"]
        async with session.get(f"{page}/j", ssl=trusted) as response:
            assert f"wss://127.0.0.1:{box.ocpp_tls_port}/" in await response.text()
        address = f"wss://localhost:{box.ocpp_tls_port}/CP001"
        async with connect(address, ssl=trusted, subprotocols=[Subprotocol("ocpp1.6")]) as station:
            boot = {"chargePointVendor": "Acme", "chargePointModel": "Post"}
            await station.send(json.dumps([2, "1", "BootNotification", boot]))
            assert json.loads(await station.recv())[2]["status"] == "Accepted"


NOT_AT_START = {
    "cryptography": "to make or read a certificate",
    "jinja2": "for the first page",
    "prometheus_client": "for the first who asks for metrics",
    "sqlite_utils": "to change the shape of the database",
    "ocpp.messages": "never: the schemas are read as files",
    "jsonschema": "to say what is wrong with a message",
    "pyftpdlib": "for the first file by FTP",
    "OpenSSL": "for the first file by FTP",
    "frozenlist._frozenlist": "never: a megabyte of C++ library for a dozen lists",
    "edge_agent.charge_points.v16": "with the first charge point that speaks it",
    "edge_agent.charge_points.v2x": "with the first charge point that speaks it",
    "edge_agent.charge_points.clerk_16": "with the first charge point that speaks it",
    "edge_agent.charge_points.clerk_2x": "with the first charge point that speaks it",
}
"""Modules an idle box has not loaded, and when they are: each costs megabytes, or a start's tenth of a second."""

IDLE_BOX = """
import asyncio, sys
from edge_agent import cli, compose
from edge_agent.charge_points.server import OcppServer
from edge_agent.config import Settings
from programs.settings import load

serve = OcppServer.serve

def told(*arguments):
    print(*sys.modules)
    return serve(*arguments)

OcppServer.serve = told

async def loaded():
    async with compose.serving(load(Settings, None, sys.argv[1:])):
        print(*sys.modules)

asyncio.run(loaded())
"""


async def test_a_box_that_starts_again_has_loaded_only_what_an_idle_box_needs(tmp_path: Path) -> None:
    wanted = settings(tmp_path / "data")
    async with compose.serving(wanted):
        pass  # the first start makes certificates and the database
    options = [f"data_dir={wanted.data_dir}", "http.bind=127.0.0.1", "http.port=0", "ocpp.bind=127.0.0.1"]
    answer = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", IDLE_BOX, *options, "ocpp.port=0"], check=True, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    lines = [set(line.split()) for line in answer.stdout.splitlines() if " edge_agent.compose " in line]
    at_the_first_port, loaded = lines[0], lines[-1]
    assert "edge_agent.charge_points.server" in at_the_first_port
    assert at_the_first_port & {"aiohttp", "edge_agent.pages.app"} == set(), "charge points do not wait for the pages"
    assert {"edge_agent.compose", "edge_agent.charge_points.server", "edge_agent.pages.app", "aiohttp"} <= loaded
    assert loaded & NOT_AT_START.keys() == set()


async def test_an_encrypted_port_that_is_taken_does_not_stop_the_box(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wanted = settings(tmp_path / "data", f"http.tls_port={port}", f"ocpp.tls_port={port}")
        async with compose.serving(wanted) as box:
            assert (box.http_tls_port, box.ocpp_tls_port) == (None, None)
            found = await control.ask(wanted.data_dir, "doctor", {})
            assert found["ports"]["ocpp.tls_port"] is None


async def test_a_damaged_root_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data" / "certificates").mkdir(parents=True)
    (tmp_path / "data" / "certificates" / "root.pem").write_text("nonsense")
    with pytest.raises(compose.CannotStart, match="are damaged"):
        async with compose.serving(settings(tmp_path / "data")):
            pass


async def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for key in ("http.port", "ocpp.port"):
            with pytest.raises(compose.CannotStart, match=key):
                async with compose.serving(settings(tmp_path / "data", f"{key}={port}")):
                    pass


def test_the_session_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = compose.session_key(tmp_path)
    assert len(key) == 32
    assert compose.session_key(tmp_path) == key
    assert (tmp_path / compose.SESSION_KEY_FILE).stat().st_mode & 0o077 == 0
    (tmp_path / compose.SESSION_KEY_FILE).write_bytes(b"short")
    assert len(compose.session_key(tmp_path)) == 32


def test_printed_addresses(tmp_path: Path) -> None:
    plain = settings(tmp_path)
    assert compose.link_url(plain, 8080, "gl1_x") == "http://127.0.0.1:8080/j#gl1_x"
    named = settings(tmp_path, "http.public_url=https://box.example/")
    assert compose.link_url(named, 8080, "gl1_x") == "https://box.example/j#gl1_x"
    assert compose.ocpp_url(plain, 9000) == "ws://127.0.0.1:9000/"
    assert compose.address_of("0.0.0.0").count(".") == 3


def test_a_charge_point_is_told_the_address_it_reaches_the_box_by(tmp_path: Path) -> None:
    anywhere = Settings(data_dir=tmp_path)
    assert compose.address_for(anywhere, "127.0.0.1") == "127.0.0.1"
    assert compose.address_for(anywhere, None) == compose.address_of("0.0.0.0")
    assert compose.address_for(anywhere, "no address") == compose.address_of("0.0.0.0")
    bound = Settings(data_dir=tmp_path, http=Http(bind="192.0.2.7"))
    assert compose.address_for(bound, "127.0.0.1") == "192.0.2.7"


def test_ids_are_random_uuids():
    made = {compose.new_id() for _ in range(1000)}
    assert len(made) == 1000
    for each in made:
        read = uuid.UUID(each)
        assert (str(read), read.version, read.variant) == (each, 4, uuid.RFC_4122)


RULE = '[[rule]]\nname = "mine"\nsource = "made up"\nvendor = "acme"\ntime_milliseconds = false\n'
ODD_BOOT = {"chargePointVendor": "Acme", "chargePointModel": "Post 2", "macAddress": "00:11"}


async def test_the_operators_rules_are_followed_and_corrections_survive_a_restart(tmp_path: Path) -> None:
    wanted = settings(tmp_path / "data")
    wanted.data_dir.mkdir()
    (wanted.data_dir / "quirks.toml").write_text(RULE)
    job = {"number": "7", "site": {"name": "Yard"}, "charge_points": [{"name": "Bay 1", "identity": "CP001"}]}
    for start in (1, 2):
        async with compose.serving(wanted) as box:
            if start == 1:
                await control.ask(wanted.data_dir, "job.import", {"file": job})
            address = f"ws://127.0.0.1:{box.ocpp_port}/CP001"
            async with connect(address, subprotocols=[Subprotocol("ocpp1.6")]) as socket:
                await socket.send(json.dumps([2, "1", "BootNotification", ODD_BOOT]))
                answer = json.loads(await socket.recv())
                assert answer[2]["status"] == "Accepted"
                assert "." not in answer[2]["currentTime"]
            state = box.store.journal.state
            assert state.stations[StationKey("cp001")].traits.rules == ("mine",)
            if start == 2:
                assert state.corrections[StationKey("cp001")].kinds[
                    "BootNotification extra_property:macAddress"
                ].count == 1, "written when the box stopped"  # fmt: skip


async def test_a_wrong_rule_stops_the_start_with_its_line(tmp_path: Path) -> None:
    wanted = settings(tmp_path / "data")
    wanted.data_dir.mkdir()
    (wanted.data_dir / "quirks.toml").write_text(RULE.replace("time_milliseconds", "time_milisecond"))
    with pytest.raises(compose.CannotStart, match=r"quirks\.toml:5: mine: time_milisecond: no such key"):
        async with compose.serving(wanted):
            pass
    with pytest.raises(compose.CannotStart, match=r"ocpp\.quirks .*there is no such file"):
        async with compose.serving(settings(tmp_path / "other", f"ocpp.quirks={tmp_path / 'none.toml'}")):
            pass
