"""The identities both ends use, as distinct types, and the rules for the one a person types.

Pure. Start at `check_identity`. Sources: OCPP-J 1.6 §3.1.1; SECURITY limits: 1 to 48 characters, no `/ : %`.
"""

import re
import unicodedata
from typing import NewType

from sitelink.errors import IdentityInvalid

OpId = NewType("OpId", str)
"""UUIDv4 in text, made when somebody acts; the only key by which doubles are recognised."""
JobId = NewType("JobId", str)
ChargePointId = NewType("ChargePointId", str)
"""A row of a job, our own id. Never the identity: that can be edited."""
StationKey = NewType("StationKey", str)
"""An OCPP identity made comparable: NFC, trimmed, case-folded."""
CommandId = NewType("CommandId", str)
TransferId = NewType("TransferId", str)
LinkId = NewType("LinkId", str)
IdTokenKey = NewType("IdTokenKey", str)
"""A driver's token made comparable: NFC, without padding, case-folded."""
TransactionId = NewType("TransactionId", int)
"""Ours, unique on this box for ever, ≥ 1. OCPP 1.6 §4.8 with errata 3.54."""

IDENTITY_MAX_CHARACTERS = 48
_IDENTITY = re.compile(r"[\w*\-.=+@|]{1,48}", re.UNICODE)
_BLANKS = re.compile(r"[\s\u200b\u2060\ufeff]+")
_PADDING = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufffd]+")


def station_key(identity: str) -> StationKey:
    """The form in which identities are compared: stations differ from their labels in case and blanks."""
    if identity.isascii():  # composed as it is, and folding leaves it so
        return StationKey(identity.strip().casefold())
    folded = unicodedata.normalize("NFC", identity).strip().casefold()
    return StationKey(unicodedata.normalize("NFC", folded))  # folding can take a character apart again


def id_token_key(id_token: str) -> IdTokenKey:
    """The form in which id tokens are compared. Readers differ in case, and pad with blanks and control bytes."""
    if id_token.isascii() and id_token.isalnum():
        return IdTokenKey(id_token.casefold())
    folded = _PADDING.sub("", unicodedata.normalize("NFC", id_token)).casefold()
    return IdTokenKey(unicodedata.normalize("NFC", folded))


def check_identity(text: str) -> str:
    """The identity as it is stored: NFC, outer blanks removed, everything else untouched; "" when nothing is left.

    Raises IdentityInvalid with the first offending character, or with the length.
    """
    identity = _BLANKS.sub(" ", unicodedata.normalize("NFC", text)).strip()
    if not identity or _IDENTITY.fullmatch(identity):
        return identity
    if len(identity) > IDENTITY_MAX_CHARACTERS:
        raise IdentityInvalid(problem="too_long", found=len(identity), allowed=IDENTITY_MAX_CHARACTERS)
    offender = next(character for character in identity if not _IDENTITY.fullmatch(character))
    raise IdentityInvalid(problem="character", found=offender, allowed="letters, digits and * _ - . = + @ |")
