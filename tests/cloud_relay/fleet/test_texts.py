"""What people type: trimmed, bounded, refused with what is wrong."""

import pytest

from cloud_relay.fleet.texts import email_in, text_in
from sitelink.errors import RequestInvalid


def test_a_text_is_trimmed_and_an_empty_one_refused_where_it_is_needed() -> None:
    assert text_in("  Harbour ", "name") == "Harbour"
    assert text_in("", "name", needed=False) == ""
    for wrong in ("", "   ", "x" * 5000):
        with pytest.raises(RequestInvalid) as caught:
            text_in(wrong, "name")
        assert "name" in str(caught.value.fields)


@pytest.mark.parametrize("wrong", ["", "ann", "ann@", "@x.example", "a b@x.example", "ann@x.example\nBcc: c@x.example"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    assert email_in(" ann@x.example ") == "ann@x.example"
    with pytest.raises(RequestInvalid):
        email_in(wrong)
