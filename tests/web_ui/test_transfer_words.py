"""The words of files: each can be said with all its fields and without any."""

import pytest

from web_ui import wording
from web_ui.transfer_words import TRANSFERS

FIELDS = {
    "answer": "Accepted", "word": "Uploading", "version": "2.0", "wanted": "2.1", "so_far": "1 kB", "size": "2 kB"
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(TRANSFERS))
def test_every_step_can_be_said_with_and_without_what_it_speaks_of(code):
    for fields in (FIELDS, {}):
        said = wording.sentence(code, fields)
        assert said.endswith(".")
        assert "{" not in said
        assert "{" not in wording.next_step(code, fields)
