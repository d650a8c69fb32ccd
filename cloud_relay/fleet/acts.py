"""Who does something, from where and when: what every rule that writes is told. Start at `Act`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ActorKind(StrEnum):
    USER = "user"
    TOKEN = "token"  # noqa: S105 -- a kind, no secret
    LINK = "link"
    GATEWAY = "gateway"
    COMMAND_LINE = "command_line"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is what people read: a mail address, a token's name."""

    kind: ActorKind
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Act:
    """`ip` is "" where nobody called from anywhere."""

    actor: Actor
    at: datetime
    ip: str = ""


COMMAND_LINE = Actor(ActorKind.COMMAND_LINE, "", "command line")
SYSTEM = Actor(ActorKind.SYSTEM, "", "Gatepost")
