"""What is sealed, and for whom it opens."""

import pytest

from cloud_relay.console.sealing import Sealing

SECRET = b"s" * 32


def test_it_opens_for_whom_it_was_sealed_only() -> None:
    sealing = Sealing(SECRET, "one")
    sealed = sealing.seal(b"x" * 20, "ann")
    assert len(sealed) == 64, "as much as user.totp_secret holds"
    assert Sealing(SECRET, "one").unseal(sealed, "ann") == b"x" * 20
    assert sealing.unseal(sealed, "ben") is None
    assert Sealing(SECRET, "two").unseal(sealed, "ann") is None
    assert Sealing(b"t" * 32, "one").unseal(sealed, "ann") is None
    assert sealing.seal(b"x" * 20, "ann") != sealed, "never the same twice"


@pytest.mark.parametrize("text", ["", "x", "×" * 64, "=" * 64, "A" * 64, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])
def test_what_was_not_sealed_is_none(text: str) -> None:
    assert Sealing(SECRET, "one").unseal(text, "ann") is None
