"""Settings: a bad one stops the start with file, key, what was found and what is allowed."""

from pathlib import Path
from typing import Literal

import msgspec
import pytest

from programs.settings import SettingsInvalid, keys, load


class Ocpp(msgspec.Struct, frozen=True):
    port: int = 9000
    security: Literal["pair", "strict", "open"] = "pair"
    patience_s: float = 60


class Http(msgspec.Struct, frozen=True):
    hosts: tuple[str, ...] = ()
    public_url: str = ""
    sender: str = msgspec.field(default="", name="from")
    metrics: bool = True


class Settings(msgspec.Struct, frozen=True):
    data_dir: Path = Path("gatepost-data")
    ocpp: Ocpp = Ocpp()
    http: Http = Http()


def test_a_field_may_have_another_name_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gatepost.toml"
    file.write_text('[http]\nfrom = "box@example.com"\n')
    assert load(Settings, file).http.sender == "box@example.com"
    assert load(Settings, None, ["http.from=x@example.com"]).http.sender == "x@example.com"
    assert "http.from" in keys(Settings)
    with pytest.raises(SettingsInvalid, match="no such setting"):
        load(Settings, None, ["http.sender=x"])


def test_without_a_file_the_defaults_hold() -> None:
    assert load(Settings, None) == Settings()


def test_overrides_win_over_the_file_and_take_the_settings_type(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text('data_dir = "/var/lib/gatepost"\n[ocpp]\nport = 9100\n[http]\nhosts = ["box.example"]\n')
    settings = load(Settings, file, ["ocpp.port=9200", "http.metrics=false", "ocpp.patience_s=1.5"])
    assert settings.ocpp.port == 9200
    assert settings.http.metrics is False
    assert settings.http.hosts == ("box.example",)
    assert settings.ocpp.patience_s == 1.5
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
        load(Settings, None, [override])
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("text", ["port = ", "[ocpp]\nport = '9000'", "[ocpp]\nport = true", "surprise = 1"])
def test_a_bad_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(text)
    with pytest.raises(SettingsInvalid, match=r"edge\.toml"):
        load(Settings, file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"nowhere\.toml"):
        load(Settings, tmp_path / "nowhere.toml")


def test_keys_lists_every_leaf() -> None:
    assert keys(Settings) == [
        "data_dir", "ocpp.port", "ocpp.security", "ocpp.patience_s", "http.hosts", "http.public_url",
        "http.from", "http.metrics",
    ]  # fmt: skip
