"""A second factor at sign-in: codes by time (TOTP, RFC 6238) and recovery codes. Start at `code_is_good`.

A code is good once: the last step that was used is kept. What is kept of recovery codes is a SHA-256; each is good
once. The secret itself must be kept as it is: whoever has the database can make codes.
"""

import hmac
import secrets
from datetime import datetime

import msgspec
import pyotp

from cloud_relay.fleet import tokens
from cloud_relay.fleet.acts import Act
from cloud_relay.fleet.audit import note
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import User
from sitelink.errors import CodeRefused, NotFound

ISSUER = "Gatepost"
RECOVERY_CODES = 10
STEP_S = 30
DRIFT_STEPS = 1
"""How many steps a phone's clock may be off, either way."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """160 random bits in base 32, as apps take them."""
    return pyotp.random_base32()


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


def turn_on(books: Books, act: Act, user: User, secret: str, code: str) -> list[str]:
    """From now on asked at sign-in. Returns the recovery codes, shown only here. Raises CodeRefused, NotFound."""
    known = _user(books, user)
    step = step_of(secret, code, act.at, None)
    if step is None:
        raise CodeRefused
    books.accounts.put_user(msgspec.structs.replace(known, totp_secret=secret, totp_since=act.at, totp_last_step=step))
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


def code_is_good(books: Books, act: Act, user: User, code: str) -> bool:
    """A code of the app or a recovery code; either is used up by this."""
    known = _user(books, user)
    if known.totp_secret is None:
        return False
    step = step_of(known.totp_secret, code, act.at, known.totp_last_step)
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
