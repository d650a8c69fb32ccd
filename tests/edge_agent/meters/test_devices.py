"""The serial ports of a machine."""

from pathlib import Path

from edge_agent.meters.devices import serial_ports


def test_ports_of_this_machine_have_one_name_each() -> None:
    ports = serial_ports()
    assert len({Path(port).resolve() for port in ports}) == len(ports)
