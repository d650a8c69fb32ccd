"""Who a box is to its cloud: made here, kept privately, enrolled by a claim."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_agent.relay.enrolment import KEY_FILE, RECORD_FILE, Enrolment, http_url, problem_of_proxy, problem_of_url
from sitelink.errors import RelayRefused
from tests.cloud_relay.links.test_app import claim_in
from tests.cloud_relay.links.test_server import cloud_at
from tests.edge_agent.relay.test_verdicts import answering, response


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    one, two = Enrolment.open(tmp_path), Enrolment.open(tmp_path)
    assert one.public_key == two.public_key
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(one.public_key))
    public.verify(base64.b64decode(one.sign(b"text")), b"text")
    assert one.record is None


async def test_a_box_is_enrolled_and_knows_it_after_a_restart(tmp_path: Path) -> None:
    async with cloud_at(tmp_path / "cloud") as (cloud, url):
        claim = await cloud.store.write(claim_in)
        relay = f"{url.replace('http', 'ws')}/relay"
        box = Enrolment.open(tmp_path)
        record = await box.enrol(relay, claim, "1.0")
        assert (record.team, record.site) == ("Acme", "Harbour")
        again = Enrolment.open(tmp_path)
        assert again.record == record
        other = tmp_path / "other"
        other.mkdir()
        with pytest.raises(RelayRefused) as caught:
            await Enrolment.open(other).enrol(relay, claim, "1.0")
        assert caught.value.fields["code"] == "claim_invalid"
        again.leave()
        assert Enrolment.open(tmp_path).record is None
        assert (tmp_path / KEY_FILE).exists()


async def test_a_portal_gets_no_more_than_the_question(tmp_path: Path) -> None:
    async with answering(response("200 OK")) as url:
        with pytest.raises(RelayRefused) as caught:
            await Enrolment.open(tmp_path).enrol(url, "gw1_x", "1.0")
        assert caught.value.fields["code"] == "captive_portal"
    with pytest.raises(OSError):
        await Enrolment.open(tmp_path).enrol("ws://127.0.0.1:9/relay", "gw1_x", "1.0")


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    (tmp_path / RECORD_FILE).write_text("{")
    assert Enrolment.open(tmp_path).record is None


def test_addresses() -> None:
    assert http_url("wss://cloud.example/relay", "enrol") == "https://cloud.example/relay/enrol"
    assert http_url("ws://127.0.0.1:8090/relay/", "enrol") == "http://127.0.0.1:8090/relay/enrol"
    assert problem_of_url("wss://cloud.example/relay") is None
    assert problem_of_url("ws://127.0.0.1:8090/relay") is None
    assert "wss" in str(problem_of_url("ws://cloud.example/relay"))
    assert "wss" in str(problem_of_url("cloud.example"))


@pytest.mark.parametrize("proxy", ["proxy:3128", "socks5://ann:secret@proxy", "http://ann:secret@", "http://[secret"])
def test_a_proxy_that_is_none_is_refused_without_repeating_it(proxy: str) -> None:
    told = problem_of_proxy(proxy)
    assert told is not None
    assert "secret" not in told
    assert problem_of_proxy("") is None
    assert problem_of_proxy("http://ann:secret@proxy:3128") is None
