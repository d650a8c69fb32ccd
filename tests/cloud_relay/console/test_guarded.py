"""Where connections to addresses that a team named may go, on real sockets."""

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from cloud_relay.console.guarded import AddressRefused, PublicResolver, guarded_session, is_refused
from tests.doubles.receiver import Receiver, receiver

PUBLIC = "93.184.216.34"
UNREACHED = (aiohttp.ClientConnectorDNSError, aiohttp.InvalidURL)


class Names(AbstractResolver):
    """Answers with these addresses, the next ones the next time."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=each, port=port, proto=0, flags=socket.AI_NUMERICHOST,
                          family=socket.AF_INET6 if ":" in each else socket.AF_INET)
            for each in found
        ]  # fmt: skip

    async def close(self) -> None:
        pass


@pytest.fixture
async def there() -> AsyncIterator[Receiver]:
    async with receiver() as running:
        yield running


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[::ffff:127.0.0.1]", "[::ffff:a00:1]",
        "[64:ff9b::7f00:1]", "2130706433", "0x7f.1", "localhost",
    ],
)  # fmt: skip
async def test_nothing_is_sent_to_what_is_not_the_open_internet(there: Receiver, host: str) -> None:
    port = there.url.rpartition(":")[2].partition("/")[0]
    async with guarded_session(allow_private=False, within_s=3) as session:
        with pytest.raises((aiohttp.ClientError, OSError)) as caught:
            await session.post(f"http://{host}:{port}/hook", data=b"x", allow_redirects=False)
    assert is_refused(caught.value) or isinstance(caught.value, UNREACHED)
    assert there.came.empty()


@pytest.mark.parametrize("answers", [("127.0.0.1",), ("10.1.2.3",), (PUBLIC, "127.0.0.1"), ("::ffff:127.0.0.1",)])
async def test_a_name_that_leads_there_is_refused(there: Receiver, answers: tuple[str, ...]) -> None:
    url = there.url.replace("127.0.0.1", "innocent.example")
    async with guarded_session(allow_private=False, within_s=3, resolver=Names(answers)) as session:
        with pytest.raises(aiohttp.ClientError) as caught:
            await session.post(url, data=b"x", allow_redirects=False)
    assert is_refused(caught.value)
    assert there.came.empty()


async def test_a_name_that_changes_between_look_and_connection_wins_nothing() -> None:
    """The connection goes to what was looked at; the name is asked once."""
    names = Names((PUBLIC,), ("127.0.0.1",))
    found = await PublicResolver(names).resolve("rebind.example", 80)
    assert [each["host"] for each in found] == [PUBLIC]
    with pytest.raises(AddressRefused):
        await PublicResolver(names).resolve("rebind.example", 80)


async def test_within_a_companys_network_any_address_will_do(there: Receiver) -> None:
    async with (
        guarded_session(allow_private=True, within_s=3) as session,
        session.post(there.url, data=b"x", allow_redirects=False) as response,
    ):
        assert response.status == 200
    assert (await there.letter()).body == b"x"


def test_what_failed_for_another_reason_is_not_refused() -> None:
    assert not is_refused(OSError("away"))
    assert is_refused(ExceptionGroup("all", [OSError("away"), AddressRefused("x")]))
