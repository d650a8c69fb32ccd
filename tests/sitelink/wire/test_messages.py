"""What is signed is good for one socket and one stream."""

from sitelink.wire.messages import to_sign


def test_what_is_signed_differs_with_each_of_its_parts() -> None:
    texts = {to_sign(nonce, gateway, stream) for nonce in "ab" for gateway in "cd" for stream in "ef"}
    assert len(texts) == 8
