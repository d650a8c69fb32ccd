"""The settings of the box: what holds where nothing is said, and that one file can say all of it."""

from pathlib import Path

from edge_agent.config import Settings
from programs.settings import keys, load


def test_the_contracts_defaults_hold() -> None:
    settings = load(Settings, None)
    assert (settings.ocpp.port, settings.http.port, str(settings.data_dir)) == (9000, 8080, "gatepost-data")
    assert {"data_dir", "ocpp.port", "http.public_url", "relay.url"} <= set(keys(Settings))


def test_a_file_of_tables_is_read(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text('[commands]\nstart_patience_s = 1.5\n[ocpp]\nsecurity = "strict"\n')
    settings = load(Settings, file)
    assert (settings.commands.start_patience_s, settings.ocpp.security) == (1.5, "strict")
