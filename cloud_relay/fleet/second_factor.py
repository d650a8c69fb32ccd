"""A second factor at sign-in: codes by time (TOTP, RFC 6238) and recovery codes. Start at `code_is_good`.

A code is good once: the last step that was used is kept. What is kept of recovery codes is a SHA-256; each is good
once. The secret itself must be read again, so it is kept sealed (docs/adr/0014).
"""

import base64
import hmac
import secrets
from datetime import datetime
from typing import Protocol

import msgspec
import pyotp

from cloud_relay.fleet import tokens
from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import User
from sitelink.errors import CodeRefused, NotFound, RequestInvalid

ISSUER = "Gatepost"
RECOVERY_CODES = 10
STEP_S = 30
DRIFT_STEPS = 1
"""How many steps a phone's clock may be off, either way."""
SECRET_BYTES = 20
"""As RFC 4226 §4 recommends."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class Seals(Protocol):
    """Encrypts what must be read again. `of`: whose it is; for anybody else it does not open."""

    def seal(self, content: bytes, of: str) -> str: ...
    def unseal(self, sealed: str, of: str) -> bytes | None: ...


def new_secret(seals: Seals, user: User) -> tuple[str, str]:
    """The secret in base 32, as apps take it, and sealed, as it is kept and may travel with a page."""
    raw = secrets.token_bytes(SECRET_BYTES)
    return base64.b32encode(raw).decode(), seals.seal(raw, user.id)


def secret_of(seals: Seals, user: User, sealed: str) -> str | None:
    """The secret in base 32; None where it was not sealed for `user`."""
    raw = seals.unseal(sealed, user.id)
    return base64.b32encode(raw).decode() if raw is not None else None


def address_of(secret: str, email: str) -> str:
    """What the QR code says to an app."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_of(secret: str, code: str, now: datetime, used: int | None) -> int | None:
    """The step whose code this is, later than the one `used` last; None: it is wrong, old, or was used."""
    wanted, middle = "".join(code.split()), int(now.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret)
    for step in range(middle - DRIFT_STEPS, middle + DRIFT_STEPS + 1):
        same = hmac.compare_digest(totp.generate_otp(step).encode(), wanted.encode("utf-8", "surrogatepass"))
        if same and (used is None or step > used):
            return step
    return None


def turn_on(books: Books, seals: Seals, act: Act, user: User, sealed: str, code: str) -> list[str]:
    """From now on asked at sign-in. Returns the recovery codes, shown only here.

    Raises CodeRefused, NotFound, and RequestInvalid where the secret is none of `new_secret`.
    """
    known, secret = _user(books, user), secret_of(seals, user, sealed)
    if secret is None:
        raise RequestInvalid(where="secret", problem="not_allowed", allowed="what the page gave")
    step = step_of(secret, code, act.at, None)
    if step is None:
        raise CodeRefused
    books.accounts.put_user(msgspec.structs.replace(known, totp_secret=sealed, totp_since=act.at, totp_last_step=step))
    note(books, act, "user.second_factor_on", None, "user", user.id, user.email)
    return new_recovery_codes(books, user)


def turn_off(books: Books, act: Act, user: User) -> None:
    known = _user(books, user)
    books.accounts.put_user(msgspec.structs.replace(known, totp_secret=None, totp_since=None, totp_last_step=None))
    books.recovery.replace(user.id, ())
    note(books, act, "user.second_factor_off", None, "user", user.id, user.email)


def new_recovery_codes(books: Books, user: User) -> list[str]:
    """Those there were are good no more."""
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    books.recovery.replace(user.id, [tokens.sha256_of(code) for code in codes])
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def code_is_good(books: Books, seals: Seals, act: Act, user: User, code: str) -> bool:
    """A code of the app or a recovery code; either is used up by this. Recovery codes are good without the secret."""
    known = _user(books, user)
    if known.totp_secret is None:
        return False
    secret = secret_of(seals, user, known.totp_secret)
    step = step_of(secret, code, act.at, known.totp_last_step) if secret is not None else None
    if step is not None:
        books.accounts.put_user(msgspec.structs.replace(known, totp_last_step=step))
        return True
    typed = code.replace("-", "").replace(" ", "").casefold()
    if not books.recovery.use(user.id, tokens.sha256_of(typed), act.at):
        return False
    note(books, act, "user.recovery_code_used", None, "user", user.id, user.email)
    return True


def _user(books: Books, user: User) -> User:
    known = books.accounts.user(user.id)
    if known is None:
        raise NotFound(what="user", key=user.id)
    return known
