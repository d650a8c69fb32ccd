"""What people type: trimmed, and refused where it cannot be kept. Start at `text_in`."""

import re
import unicodedata

from sitelink.errors import RequestInvalid

NAME_MAX_CHARACTERS = 200
EMAIL_MAX_CHARACTERS = 254
_EMAIL = re.compile(r"[^@\s<>\"',;:\\()\[\]]+@[^@\s<>\"',;:\\()\[\]]+")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def text_in(text: str, where: str, *, most: int = NAME_MAX_CHARACTERS, needed: bool = True) -> str:
    """NFC, without blanks around. Raises RequestInvalid (empty, too_long, character) naming the field `where`."""
    found = unicodedata.normalize("NFC", text).strip()
    if not found and needed:
        raise RequestInvalid(where=where, problem="empty")
    if len(found) > most:
        raise RequestInvalid(where=where, problem="too_long", allowed=most)
    if _UNSEEN.search(found):
        raise RequestInvalid(where=where, problem="character")
    return found


def email_in(text: str, where: str = "email") -> str:
    """A mail address as it was typed. Only its shape is looked at: whether it works, a letter shows."""
    found = text_in(text, where, most=EMAIL_MAX_CHARACTERS)
    if not _EMAIL.fullmatch(found) or not found.isprintable():
        raise RequestInvalid(where=where, problem="no_email")
    return found
