"""Addresses of meters: read, written back, and refused with what is wrong."""

import pytest

from sitelink.meter_endpoints import Endpoint, EndpointInvalid, endpoint_of


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("tcp://192.0.2.7", Endpoint("tcp", "192.0.2.7")),
        ("tcp://meter.local:1502/", Endpoint("tcp", "meter.local", 1502)),
        ("tcp://[fd00::2]:502", Endpoint("tcp", "fd00::2")),
        ("rtu-over-tcp://192.0.2.8:4001", Endpoint("rtu-over-tcp", "192.0.2.8", 4001)),
        ("udp://192.0.2.9", Endpoint("udp", "192.0.2.9")),
        ("rtu:///dev/ttyUSB0", Endpoint("rtu", device="/dev/ttyUSB0")),
        (
            "rtu:///dev/serial/by-id/usb-A?speed=19200&parity=e&stop_bits=2&rs485=yes",
            Endpoint("rtu", device="/dev/serial/by-id/usb-A", speed=19200, parity="E", stop_bits=2, rs485=True),
        ),
    ],
)
def test_addresses_are_read_and_written_back(text: str, endpoint: Endpoint) -> None:
    assert endpoint_of(text) == endpoint
    assert endpoint_of(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begin with tcp://"), ("192.0.2.7", "begin with tcp://"), ("http://x", "begin with tcp://"),
        ("tcp://", "write tcp://HOST"), ("tcp://x:99999", "is no address"), ("tcp://x/path", "write tcp://HOST"),
        ("tcp://a b", "write tcp://HOST"), ("tcp://[::1", "is no address"), ("tcp://user@x", "write tcp://HOST"),
        ("rtu://ttyUSB0", "whole path"), ("rtu:///", "whole path"), ("rtu:///dev/x?speed=fast", "speed is one of"),
        ("rtu:///dev/x?speed=1234", "speed is one of"), ("rtu:///dev/x?parity=X", "parity is N, E or O"),
        ("rtu:///dev/x?stop_bits=3", "stop_bits is 1 or 2"), ("rtu:///dev/x?rs485=maybe", "rs485 is yes or no"),
        ("rtu:///dev/x?baud=9600", "baud is unknown"),
    ],
)  # fmt: skip
def test_a_wrong_one_says_what_it_should_be(text: str, words: str) -> None:
    with pytest.raises(EndpointInvalid, match=words.replace("(", r"\(")):
        endpoint_of(text)


def test_one_port_is_one_bus_whatever_its_speed() -> None:
    one, other = endpoint_of("rtu:///dev/ttyUSB0?speed=9600"), endpoint_of("rtu:///dev/ttyUSB0?speed=19200")
    assert one.bus == other.bus == "/dev/ttyUSB0"
    assert endpoint_of("tcp://x:502").bus == endpoint_of("tcp://x").bus != endpoint_of("udp://x").bus
