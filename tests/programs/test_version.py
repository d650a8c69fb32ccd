"""The version is the installed one's."""

from importlib import metadata

import pytest

from programs import version


def test_the_version_is_that_of_the_installed_product(monkeypatch: pytest.MonkeyPatch) -> None:
    assert version.product_version() == metadata.version("gatepost")
    monkeypatch.setattr(version, "version", metadata.version)
    monkeypatch.setattr(metadata.Distribution, "from_name", _not_installed)
    assert version.product_version() == "0"


def _not_installed(name: str) -> metadata.Distribution:
    raise metadata.PackageNotFoundError(name)
