"""Webhooks for programs, from the endpoint to what arrives."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from cloud_relay.compose import serving
from cloud_relay.config import Http, Settings, Webhooks
from cloud_relay.fleet.permissions import RIGHTS
from cloud_relay.fleet.teams import add_team, new_api_token
from tests.cloud_relay.console.api import Program, calling
from tests.cloud_relay.console.test_webhook_sender import is_signed
from tests.cloud_relay.made import ACT
from tests.doubles.receiver import receiver

URL = "https://hooks.example.com/x"


async def test_an_endpoint_is_made_changed_and_removed(tmp_path: Path) -> None:
    async with calling(tmp_path, "Acme", "Other") as (program, other):
        made = await program.post("/webhooks", {"url": URL, "events": ["job.created", "alert.opened"]})
        hook, secret = made["webhook"], made["secret"]
        assert (hook["url"], hook["events"], hook["enabled"]) == (URL, ["alert.opened", "job.created"], True)
        path = f"/webhooks/{hook['id']}"
        assert await program.get(path) == hook
        assert (await program.get("/webhooks"))["items"] == [hook]
        status, changed = await program.call("PATCH", path, {"enabled": False, "events": ["*"]})
        assert (status, changed["enabled"], changed["events"], changed["url"]) == (200, False, ["*"], URL)
        again = await program.post(f"{path}/rotate-secret", None, status=200)
        assert again["secret"] not in ("", secret)
        for method, of in (
            ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries"),
            ("POST", "/rotate-secret"), ("POST", "/deliveries/x/resend"),
        ):  # fmt: skip
            status, _ = await other.call(method, path + of, {} if method == "PATCH" else None)
            assert status == 404, (method, of)
        assert (await other.get("/webhooks"))["items"] == []
        kinds = [each["kind"] for each in (await program.get("/audit?kind=webhook."))["items"]]
        assert kinds == ["webhook.secret_rotated", "webhook.changed", "webhook.created"]
        for text in (repr(await program.get("/audit")), repr(await program.get("/webhooks"))):
            assert secret not in text
        async with program._session.delete(f"{program.url}/api/v1{path}", headers=program.headers) as response:
            assert response.status == 204
        assert (await program.call("GET", path))[0] == 404


async def test_what_cannot_be_an_endpoint_is_refused(tmp_path: Path) -> None:
    async with calling(tmp_path) as (program,):
        for wrong in (
            {"url": "http://hooks.example.com/", "events": ["*"]}, {"url": "https://10.0.0.1/", "events": ["*"]},
            {"url": "https://[::ffff:127.0.0.1]/", "events": ["*"]}, {"url": "nonsense", "events": ["*"]},
            {"url": URL, "events": []}, {"url": URL, "events": ["nonsense"]},
        ):  # fmt: skip
            status, answer = await program.call("POST", "/webhooks", wrong)
            assert (status, answer["code"]) == (400, "request_invalid"), wrong
            assert answer["next_step"], wrong
    async with calling(tmp_path, scopes=tuple(set(RIGHTS) - {"webhooks:write"})) as (program,):
        assert (await program.call("GET", "/webhooks"))[0] == 403


async def delivered(program: Program, path: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        while True:
            items: list[dict[str, Any]] = (await program.get(f"{path}?state=delivered"))["items"]
            if len(items) >= count:
                return items
            await asyncio.sleep(0.05)


async def test_a_job_that_is_made_arrives_signed_and_can_be_sent_again(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, http=Http(bind="127.0.0.1", port=0), webhooks=Webhooks(allow_http=True)
    )  # fmt: skip
    async with receiver() as there, serving(settings) as cloud, aiohttp.ClientSession() as session:
        token = await cloud.store.write(
            lambda books: new_api_token(books, ACT, add_team(books, ACT, "Acme"), "ci", RIGHTS)[1]
        )
        program = Program(cloud, f"http://127.0.0.1:{cloud.http_port}", token, session)
        made = await program.post("/webhooks", {"url": there.url, "events": ["job.created"]})
        path = f"/webhooks/{made['webhook']['id']}"
        await program.post(f"{path}/test", None, status=202)
        assert (await there.letter()).headers["Gatepost-Event"] == "webhook.test"
        await program.job("CP001")
        letter = await there.letter()
        assert letter.headers["Gatepost-Event"] == "job.created"
        assert is_signed(letter, made["secret"])
        sent = await delivered(program, f"{path}/deliveries", 2)
        job = next(each for each in sent if each["event"] == "job.created")
        assert job["body"].encode() == letter.body
        assert job["attempts"][0]["status"] == 200
        await program.post(f"{path}/deliveries/{job['id']}/resend", None, status=202)
        again = await there.letter()
        assert (again.body, again.headers["Gatepost-Delivery"]) == (letter.body, job["id"])
        assert (await program.call("POST", f"{path}/deliveries/none/resend"))[0] == 404
