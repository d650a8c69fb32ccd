"""Device keys and what they sign."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_relay.links.keys import is_key, verify


def test_a_signature_is_good_for_its_key_and_its_text_alone() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    signature = base64.b64encode(key.sign(b"text")).decode()
    assert is_key(public)
    assert verify(public, b"text", signature)
    assert not verify(public, b"other", signature)
    assert not verify(public, b"text", base64.b64encode(other.sign(b"text")).decode())


@pytest.mark.parametrize("wrong", ["", "ß", "AAAA", "not base64!", "A" * 500])
def test_what_is_no_key_and_no_signature_is_simply_not_good(wrong: str) -> None:
    assert not is_key(wrong)
    assert not verify(wrong, b"text", wrong)
