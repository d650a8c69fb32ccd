"""Letters on their way: written in the transaction that causes them, sent by a worker afterwards. Start at `write`.

A letter is tried with growing pauses for a day. Who tries it takes it first, for `TAKEN_FOR`, and one at a time: of
several nodes one sends. A node that dies between sending and noting it sends again; a letter twice is better than none.
"""

from datetime import datetime, timedelta

import msgspec

from cloud_relay.fleet.ids import new_id
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.records import Mail

FIRST_PAUSE = timedelta(seconds=30)
GIVEN_UP_AFTER = timedelta(days=1)
TAKEN_FOR = timedelta(minutes=2)
"""Longer than sending one may take."""
SENT, REFUSED, GIVEN_UP = "sent", "refused", "given_up"


def write(books: Books, recipient: str, subject: str, body: str, now: datetime) -> Mail:
    """Plain text. What breaks a line in the subject is taken out: it could write headers of its own."""
    clean = " ".join(subject.split())[:300]
    mail = Mail(new_id(), recipient, clean, body, now, next_try_at=now)
    books.mails.add(mail)
    return mail


def take(books: Books, now: datetime) -> Mail | None:
    """The one that is due longest, taken by whoever asks; None: nothing is due."""
    mail = books.mails.due(now)
    if mail is not None:
        books.mails.put(msgspec.structs.replace(mail, next_try_at=now + TAKEN_FOR))
    return mail


def note_sent(books: Books, mail: Mail, now: datetime) -> None:
    _end(books, mail, now, SENT)


def note_refused(books: Books, mail: Mail, now: datetime) -> None:
    """The other side will never take it."""
    _end(books, mail, now, REFUSED)


def note_failed(books: Books, mail: Mail, now: datetime) -> None:
    """Again later, unless it is a day old."""
    if now - mail.created_at >= GIVEN_UP_AFTER:
        _end(books, mail, now, GIVEN_UP)
        return
    pause = min(FIRST_PAUSE * 2**mail.tries, timedelta(hours=1))
    books.mails.put(msgspec.structs.replace(mail, tries=mail.tries + 1, next_try_at=now + pause))


def _end(books: Books, mail: Mail, now: datetime, outcome: str) -> None:
    """Its text is not kept: it may hold a link."""
    books.mails.put(
        msgspec.structs.replace(mail, tries=mail.tries + 1, next_try_at=None, ended_at=now, outcome=outcome, body="")
    )
