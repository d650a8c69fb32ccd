"""Who calls and what it speaks (OCPP.md §4.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers

from edge_agent.charge_points.handshake import (
    greet,
    identity_of,
    ip_of,
    is_browser,
    is_upgrade,
    mend,
    shown_by,
)
from edge_agent.charge_points.quirks import built_in

HEADERS = built_in().headers


@pytest.mark.parametrize(
    ("path", "identity", "flaws"),
    [
        ("/CP001", "CP001", []),
        ("/ocpp/1.6/CP001", "CP001", []),
        ("/CP001/", "CP001", []),
        ("/CP001/CP001", "CP001", ["identity_doubled"]),
        ("//a//CP001//", "CP001", []),
        ("/RDAM%7C123", "RDAM|123", []),  # citrineos#1093
        ("/CP%25201", "CP%201", []),  # decoded once
        ("/CP%2F001", "CP/001", []),
        ("/%20CP001%20", "CP001", ["identity_blanks_or_control_characters"]),
        ("/CP%00001", "CP�001", ["identity_blanks_or_control_characters"]),
        ("/CP001?token=x", "CP001", []),
        ("/A%CC%8A", "Å", []),
        ("/%FF", "�", []),
        ("/", "", ["identity_missing"]),
        ("", "", ["identity_missing"]),
        ("/" + "x" * 60, "x" * 48 + "…", ["identity_too_long"]),
        ("/Garage-1_A.B=*+@", "Garage-1_A.B=*+@", []),
    ],
)
def test_identity(path: str, identity: str, flaws: list[str]) -> None:
    assert identity_of(path) == (identity, flaws)


@given(st.text())
def test_any_path_gives_an_identity_fit_to_show(path: str) -> None:
    identity, _ = identity_of(path)
    assert len(identity) <= 49
    assert not any(ord(character) < 32 for character in identity)


def test_no_token_is_served_and_only_foreign_ones_are_not() -> None:
    for offered, version in [("", "1.6"), ("mqtt", None), ("ocpp2.1", "2.1"), ("mqtt, ocpp2.0.1", "2.0.1")]:
        headers = Headers([("Sec-WebSocket-Protocol", offered)] if offered else [])
        assert greet("/A", headers, "", lambda _identity: None).version == version


def test_a_vendors_own_word_is_understood_by_a_rule() -> None:
    headers = Headers([("Sec-WebSocket-Protocol", "socpp1.6")])
    greeting = greet("/A", headers, "", lambda _identity: None, aliases=built_in().subprotocols)
    assert (greeting.chosen, greeting.version, greeting.flaws) == ("socpp1.6", "1.6", ("odd_subprotocol",))
    assert greet("/A", headers, "", lambda _identity: None).version is None


def test_the_version_of_the_last_boot_is_chosen_among_several() -> None:
    headers = Headers([("Sec-WebSocket-Protocol", "ocpp1.6, ocpp2.0.1")])
    assert greet("/A", headers, "", lambda _identity: "2.0.1").chosen == "ocpp2.0.1"


@pytest.mark.parametrize(
    ("path", "identity"),
    [("/CP001CP001", "CP001"), ("/CP001/CP001CP001", "CP001"), ("/XYXY", "XYXY"), ("/ZZ", "ZZ"), ("/CP001", "CP001")],
)
def test_an_identity_typed_and_appended_again_is_the_half_that_is_named(path: str, identity: str) -> None:
    assert identity_of(path, {"CP001", "Z", "ZZ"}.__contains__)[0] == identity


def test_tokens_are_read_from_odd_headers() -> None:
    headers = Headers([("Sec-WebSocket-Protocol", ' "ocpp1.6" ,'), ("Sec-WebSocket-Protocol", "ocpp 1.5")])
    mend(headers, HEADERS)
    greeting = greet("/CP001", headers, "192.0.2.1", lambda _identity: None)
    assert (greeting.offered, greeting.chosen, greeting.key) == (("ocpp1.6",), "ocpp1.6", "cp001")


def test_an_empty_list_of_subprotocols_is_none() -> None:
    headers = Headers([("Sec-WebSocket-Protocol", "")])
    mend(headers, HEADERS)
    assert "Sec-WebSocket-Protocol" not in headers
    assert greet("/CP001", headers, "192.0.2.1", lambda _identity: None).version == "1.6"


def test_a_right_request_is_left_alone() -> None:
    lines = [
        ("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "x"), ("Sec-WebSocket-Protocol", "ocpp1.6, ocpp1.5"),
    ]  # fmt: skip
    headers = Headers(lines)
    assert mend(headers, HEADERS) == []
    assert list(headers.raw_items()) == lines


@pytest.mark.parametrize(
    ("lines", "browser"),
    [
        ([("Host", "box:9000")], False),
        ([("Host", "box:9000"), ("Origin", "http://box")], False),
        ([("Host", "box"), ("Origin", "http://BOX:8080")], False),
        ([("Host", "192.0.2.1"), ("Origin", "192.0.2.1")], False),
        ([("Host", "box:9000"), ("Origin", "")], False),
        ([("Host", "[fe80::1]:9000"), ("Origin", "http://[fe80::1]")], False),
        ([("Host", "box:9000"), ("Origin", "http://other")], True),
        ([("Host", "box:9000"), ("Origin", "null")], True),
        ([("Host", "box:9000"), ("Origin", "http://[")], True),
        ([("Host", "box:9000"), ("Sec-Fetch-Site", "same-origin")], True),
    ],
)
def test_browser(lines: list[tuple[str, str]], browser: bool) -> None:
    assert is_browser(Headers(lines)) is browser


def test_upgrade_is_meant_by_any_of_its_headers() -> None:
    assert is_upgrade(Headers([("Upgrade", "WebSocket")]))
    assert is_upgrade(Headers([("Sec-WebSocket-Key", "x")]))
    assert not is_upgrade(Headers([("Host", "box")]))


@pytest.mark.parametrize(
    ("address", "ip"),
    [
        (("192.0.2.1", 5), "192.0.2.1"),
        (("::ffff:192.0.2.1", 5, 0, 0), "192.0.2.1"),
        (("fe80::1%eth0", 5, 0, 2), "fe80::1"),
        (None, ""),
    ],
)
def test_ip(address: object, ip: str) -> None:
    assert ip_of(address) == ip


@pytest.mark.parametrize(
    ("header", "user", "password"),
    [
        ("Basic Q1AwMDE6c2VjcmV0", "CP001", b"secret"),
        ("basic  Q1AwMDE6c2VjcmV0 ", "CP001", b"secret"),
        ("Basic Q1AwMDE6YTpi", "CP001", b"a:b"),  # only the first colon divides
        ("Basic Q1AwMDE6/wA6", "CP001", b"\xff\x00:"),  # the bytes of a 1.6 key
        ("Basic Q1AwMDE6", "CP001", b""),
        ("Basic UkRBTSU3QzEyMzp4", "RDAM|123", b"x"),  # percent-encoded like its address
        ("Basic Q1AwMDE6c2VjcmV", "CP001", b"secre"),  # padding left out
        ("Basic Q1AwMDE", None, None),
        ("Basic !!!", None, None),
        ("Bearer abc", None, None),
        ("Basic " + "A" * 2000, None, None),
        ("", None, None),
    ],
)
def test_what_a_station_shows_is_read_as_bytes(header: str, user: str | None, password: bytes | None) -> None:
    shown = shown_by(Headers({"Authorization": header} if header else {}), False, None)
    assert (shown.user, shown.password, shown.certificate) == (user, password, None)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_no_header_breaks_the_door(header: str) -> None:
    shown = shown_by(Headers({"Authorization": header}), True, None)
    assert (shown.user is None) is (shown.password is None)


def test_a_client_certificate_is_known_by_serial_and_common_name() -> None:
    found = {"serialNumber": "0a1f", "subject": ((("organizationName", "Acme"),), (("commonName", "SN-77"),))}
    shown = shown_by(Headers({}), True, found)
    assert shown.certificate is not None
    assert (shown.certificate.serial, shown.certificate.common_name) == ("0A1F", "SN-77")
    nameless = shown_by(Headers({}), True, {"serialNumber": "0A", "subject": ()})
    assert nameless.certificate is not None
    assert nameless.certificate.common_name == ""
