"""Settings: a bad one stops the start with file, key, what was found and what is allowed."""

from pathlib import Path

import pytest

from edge_agent.config import Settings, SettingsInvalid, keys, load


def test_without_a_file_the_defaults_hold() -> None:
    settings = load(None)
    assert settings == Settings()
    assert (settings.ocpp.port, settings.http.port, str(settings.data_dir)) == (9000, 8080, "gatepost-data")


def test_overrides_win_over_the_file_and_take_the_settings_type(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text('data_dir = "/var/lib/gatepost"\n[ocpp]\nport = 9100\n[http]\nhosts = ["box.example"]\n')
    settings = load(file, ["ocpp.port=9200", "http.metrics=false", "commands.start_patience_s=1.5"])
    assert settings.ocpp.port == 9200
    assert settings.http.metrics is False
    assert settings.http.hosts == ("box.example",)
    assert settings.commands.start_patience_s == 1.5
    assert settings.data_dir == Path("/var/lib/gatepost")


@pytest.mark.parametrize(("override", "words"), [
    ("ocpp.prot=1", ["ocpp.prot", "no such setting", "port"]),
    ("ocpp.port=x", ["ocpp.port", "'x'", "number"]),
    ("ocpp.port=70000", ["ocpp.port", "65535"]),
    ("ocpp.security=none", ["ocpp.security", "pair, strict, open"]),
    ("http.metrics=maybe", ["http.metrics", "true, false"]),
    ("ocpp=3", ["ocpp", "table"]),
    ("ocpp.port.deep=3", ["ocpp.port"]),
    ("nonsense", ["key=value"]),
])  # fmt: skip
def test_a_bad_override_is_named(override: str, words: list[str]) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(None, [override])
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("text", ["port = ", "[ocpp]\nport = '9000'", "[ocpp]\nport = true", "surprise = 1"])
def test_a_bad_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(text)
    with pytest.raises(SettingsInvalid, match=r"edge\.toml"):
        load(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")


def test_keys_lists_every_leaf() -> None:
    assert {"data_dir", "ocpp.port", "http.public_url", "relay.url"} <= set(keys())
