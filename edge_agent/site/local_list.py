"""What a station's own list of id tokens should hold, and the messages that make it so. Pure.

Start at `wanted` and `plan`. A station keeps the list for when it is offline. Whether it gets the difference or the
whole is decided by the version it last confirmed: any other version, and any refusal, is answered with the whole.
Sources: OCPP 1.6 §3.5.3, §5.15; OCPP 2.0.1 D01.FR.03 to FR.18; OCPP.md §8.2, §8.3.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from edge_agent.site.authorisation import is_open_to_drivers
from edge_agent.site.installer_token import token_for
from sitelink.commands import ListLimits, SendLocalList
from sitelink.events import ListEntry
from sitelink.ids import IdTokenKey, StationKey, id_token_key
from sitelink.model import IdToken, LocalList, SiteState
from sitelink.states import AuthorizationStatus, IdTokenType, JobStatus, LocalListState

PER_MESSAGE_UNSAID = 50
"""Where a station does not say how much a message may hold: many take no more in one frame."""
VERSION_MAX = 2**31 - 1
MESSAGE_BYTES = 256
"""What a message takes without its entries, its frame included."""
ENTRY_BYTES = 320
"""What an entry takes beside its tokens: names, types, a status and a time."""
_UID_14443 = re.compile(r"(?:[0-9a-f]{8}|[0-9a-f]{14}|[0-9a-f]{20})", re.IGNORECASE)
"""4, 7 or 10 bytes in hex: the identifier of a card."""
_UID_15693 = re.compile(r"[0-9a-f]{16}", re.IGNORECASE)
"""8 bytes."""

Entries = dict[IdTokenKey, ListEntry]


def wanted(state: SiteState, station: StationKey, limits: ListLimits) -> tuple[Entries, int]:
    """The entries a station should hold, and how many tokens do not fit there.

    The installer's test comes first, then the site's list in the order of its tokens. Where no row is open to drivers
    only the test stands: so nobody charges there offline either, as far as the station asks its list. Tokens that are
    for other charge points, or longer than the version allows, are left to the station's question.
    """
    found: Entries = {}
    for token in _tests(state, station):
        if len(token) <= limits.id_token_characters:
            found[id_token_key(token)] = ListEntry(token, type=IdTokenType.CENTRAL if limits.typed else None)
    if not any(is_open_to_drivers(row) for _, row in state.rows_of_station(station)):
        return found, 0
    left_out = 0
    for key in sorted(state.id_tokens):
        token_of_site = state.id_tokens[key]
        if key in found or (token_of_site.charge_points and station not in token_of_site.charge_points):
            continue
        if len(token_of_site.id_token) > limits.id_token_characters or _is_full(found, limits):
            left_out += 1
        else:
            found[key] = _entry(token_of_site, limits)
    return found, left_out


def _tests(state: SiteState, station: StationKey) -> Iterator[str]:
    known = state.stations.get(station)
    for job, _ in state.rows_of_station(station):
        if job.status in (JobStatus.OPEN, JobStatus.COMPLETED):
            yield token_for(known, job.test_token)


def _is_full(found: Entries, limits: ListLimits) -> bool:
    return limits.entries is not None and len(found) >= limits.entries


def _entry(token: IdToken, limits: ListLimits) -> ListEntry:
    group = token.group if token.group and len(token.group) <= limits.id_token_characters else None
    kind = (token.type or _type_of(token.id_token)) if limits.typed else None
    return ListEntry(token.id_token, token.status, kind, group, token.expires)


def _type_of(id_token: str) -> IdTokenType:
    """What a reader will most likely say of it, where the list does not."""
    if _UID_14443.fullmatch(id_token):
        return IdTokenType.ISO14443
    return IdTokenType.ISO15693 if _UID_15693.fullmatch(id_token) else IdTokenType.CENTRAL


def characters_of(version: str | None) -> int:
    """How long an id token may be (OCPP 1.6 §7.28 and the IdTokenType of 2.0.1 and 2.1)."""
    if (version or "").startswith("2."):
        return 255 if version == "2.1" else 36
    return 20


def takes_leave(goal: Mapping[IdTokenKey, ListEntry], held: LocalList | None) -> bool:
    """Whether somebody who could charge no longer can: a station may know him from its cache as well."""
    accepted = AuthorizationStatus.ACCEPTED
    return held is not None and any(
        entry.status is accepted and (key not in goal or goal[key].status is not accepted)
        for key, entry in held.entries.items()
    )


def plan(
    goal: Mapping[IdTokenKey, ListEntry], held: LocalList | None, reported: int, limits: ListLimits, *,
    full: bool = False,
) -> tuple[SendLocalList, ...]:  # fmt: skip
    """The messages, in order, that turn what the station holds into the goal; none where it holds that.

    `held` is what it confirmed, `reported` the version it says it has. Versions rise with every message.
    """
    version = max(reported, held.version if held is not None else 0, 0)
    if version > VERSION_MAX - len(goal) - 1:
        version, full = 0, True
    if full or held is None or not _is_known(held, reported):
        return _whole(list(goal.values()), version, limits)
    removed = [entry for key, entry in held.entries.items() if not _is_same_token(entry, goal.get(key))]
    entries = [entry for key, entry in goal.items() if held.entries.get(key) != entry]
    if len(removed) + len(entries) > max(len(goal), _most(limits)):
        return _whole(list(goal.values()), version, limits)
    return tuple(_differences(removed, entries, version, limits))


def _is_known(held: LocalList, reported: int) -> bool:
    return held.version == reported > 0 and held.state is not LocalListState.FAILED


def _is_same_token(held: ListEntry, goal: ListEntry | None) -> bool:
    """In 2.x a token of another type is another token."""
    return goal is not None and goal.type == held.type


def _most(limits: ListLimits) -> int:
    return max(1, limits.per_message or PER_MESSAGE_UNSAID)


def _whole(entries: Sequence[ListEntry], version: int, limits: ListLimits) -> tuple[SendLocalList, ...]:
    """What does not fit into the first message follows as differences."""
    first, *rest = [*_parts([(entry, False) for entry in entries], limits)] or [[]]
    message = SendLocalList(version + 1, full=True, entries=tuple(entry for entry, _ in first))
    later = [entry for part in rest for entry, _ in part]
    return (message, *_differences([], later, version + 1, limits))


def _differences(
    removed: Sequence[ListEntry], entries: Sequence[ListEntry], version: int, limits: ListLimits
) -> Iterator[SendLocalList]:
    """What goes away goes first, so that a full list has room."""
    changes = [(entry, True) for entry in removed] + [(entry, False) for entry in entries]
    for part in _parts(changes, limits):
        version += 1
        yield SendLocalList(
            version, full=False, entries=tuple(entry for entry, gone in part if not gone),
            removed=tuple(entry for entry, gone in part if gone),
        )  # fmt: skip


def _parts(changes: Sequence[tuple[ListEntry, bool]], limits: ListLimits) -> Iterator[list[tuple[ListEntry, bool]]]:
    """As many as a message may hold, by number and by size; never none."""
    part: list[tuple[ListEntry, bool]] = []
    size = MESSAGE_BYTES
    for change in changes:
        needed = bytes_of(change[0])
        if part and (len(part) >= _most(limits) or size + needed > (limits.bytes_per_message or size + needed)):
            yield part
            part, size = [], MESSAGE_BYTES
        part.append(change)
        size += needed
    if part:
        yield part


def bytes_of(entry: ListEntry) -> int:
    """At most, in a message: a character of a token may be escaped."""
    return ENTRY_BYTES + 2 * len(f"{entry.id_token}{entry.group or ''}".encode())
