"""Who may charge, and as whom. Pure. Start at `verdict_on`.

The site's list decides about the tokens that stand on it, the setting `authorisation.unknown` about all others; an
inactive charge point refuses everybody but the installer's test. Sources: DESIGN §7 (11), (14), (15); OCPP 1.6 §4.1,
§4.8 and §7.2; OCPP 2.0.1 C01.FR.06-07 and 18-22, C02.FR.02, E01.FR.11-12; OCPP.md §4.3 on altered tags.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from edge_agent.site.admission import Policy
from edge_agent.site.installer_token import token_for
from edge_agent.site.reports import Verdict
from sitelink.ids import IdTokenKey, StationKey, id_token_key
from sitelink.model import ChargePoint, IdToken, SiteState
from sitelink.states import AuthorizationStatus, IdTokenType, JobStatus, Registration

TAG_1_6_MAX = 20
RECOGNISED_CHARACTERS = 8
"""So many leading characters of the test token are enough to know it again when a station cut or padded it."""
_CLOCK_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_CLOCK_TO = datetime(2076, 1, 1, tzinfo=UTC)


def verdict_on(
    state: SiteState, policy: Policy, station: StationKey, id_token: str, connector: int | None = None, *,
    now: datetime, token_type: str | None = None, starting: bool = False,
) -> Verdict:  # fmt: skip
    """What a token may do at a station, or at one connector (2.x: EVSE) of it.

    `token_type` is 2.x's, where the station named one. `starting`: a transaction begins with it, so that one token in
    two places matters. Where it may charge at some of the station's connectors only, the verdict lists them.
    """
    known = state.stations.get(station)
    rows = [row for _, row in state.rows_of_station(station)]
    if known is None or known.registration is not Registration.ACCEPTED or not rows:
        return Verdict(AuthorizationStatus.INVALID)
    if is_test_token(state, station, id_token):
        return Verdict(AuthorizationStatus.ACCEPTED)
    found = state.row_of_connector(station, connector) if connector else None
    asked = [found[1]] if found else rows
    open_rows = [row for row in asked if is_open_to_drivers(row)]
    if not open_rows:
        return Verdict(AuthorizationStatus.INVALID)
    if token_type == IdTokenType.NO_AUTHORIZATION:
        return Verdict(AuthorizationStatus.ACCEPTED)
    evses = tuple(sorted({row.connector for row in open_rows})) if len(open_rows) < len(asked) else ()
    listed = listed_token(state, id_token, exactly=token_type is not None)
    status = _standing_of(listed, policy, station, token_type, now)
    if status is AuthorizationStatus.ACCEPTED and starting and policy.concurrent_tokens == "reject":
        token = listed.id if listed is not None else id_token_key(id_token)
        if _charges_elsewhere(state, token, station, connector):
            status = AuthorizationStatus.CONCURRENT_TX
    accepted = status is AuthorizationStatus.ACCEPTED
    return Verdict(
        status, listed.group if listed else None, listed.expires if listed else None, evses if accepted else ()
    )


def is_open_to_drivers(row: ChargePoint) -> bool:
    """Active, not in maintenance, and nobody else's."""
    return row.active and not row.maintenance and not row.owner


def listed_token(state: SiteState, id_token: str, *, exactly: bool = False) -> IdToken | None:
    """Its place on the site's list. Of more characters than 1.6 allows, the allowed ones are enough: some stations
    pad what they read. `exactly`: as 2.x has it, where 36 characters all count."""
    key = id_token_key(id_token)
    found = state.id_tokens.get(key)
    if found is None and len(key) > TAG_1_6_MAX and not exactly:
        found = state.id_tokens.get(IdTokenKey(key[:TAG_1_6_MAX]))
    return found


def _standing_of(
    listed: IdToken | None, policy: Policy, station: StationKey, token_type: str | None, now: datetime
) -> AuthorizationStatus:
    if listed is None:
        accepted = policy.unknown_tokens == "accept"
        return AuthorizationStatus.ACCEPTED if accepted else AuthorizationStatus.UNKNOWN
    if listed.type is not None and token_type is not None and listed.type.casefold() != token_type.casefold():
        return AuthorizationStatus.INVALID
    if listed.status is not AuthorizationStatus.ACCEPTED:
        return listed.status
    if is_expired(listed, now):
        return AuthorizationStatus.EXPIRED
    if listed.charge_points and station not in listed.charge_points:
        return AuthorizationStatus.NOT_AT_THIS_LOCATION
    return AuthorizationStatus.ACCEPTED


def is_expired(token: IdToken, now: datetime) -> bool:
    """Only by a clock that can be believed: a box that wakes up in another decade locks nobody out."""
    return token.expires is not None and _CLOCK_FROM <= now < _CLOCK_TO and now >= token.expires


def _charges_elsewhere(state: SiteState, token: IdTokenKey, station: StationKey, connector: int | None) -> bool:
    """Whether an accepted charge by this token runs at any other connector of the site. The one at this connector ends
    by the new start."""
    for each in state.stations.values():
        for at, id_ in each.transactions.items():
            running = state.transactions.get(id_)
            if running is None or running.verdict is not AuthorizationStatus.ACCEPTED:
                continue
            if each.id == station and at == connector:
                continue
            if id_token_key(running.id_token or "") == token:
                return True
    return False


def same_holder(state: SiteState, station: StationKey, one: str, other: str) -> bool:
    """Whether who started may be who stops: the same token as far as stations keep it, or two of one group."""
    first, second = id_token_key(one), id_token_key(other)
    if first[:TAG_1_6_MAX] == second[:TAG_1_6_MAX]:
        return True
    if is_test_token(state, station, one) and is_test_token(state, station, other):
        return True
    a, b = listed_token(state, one), listed_token(state, other)
    if a is None or b is None or not a.group or not b.group:
        return False
    return id_token_key(a.group) == id_token_key(b.group)


# ---- the installer's test token ----


def is_test_token(state: SiteState, station: StationKey, id_token: str) -> bool:
    """Whether it is the installer's token of a job that names the station, or the form of it the station takes.

    Stations change its case, cut it, and pad it.
    """
    said = id_token_key(id_token)
    return any(_is_form_of(said, id_token_key(each)) for each in _test_tokens(state, station))


def _test_tokens(state: SiteState, station: StationKey) -> Iterable[str]:
    known = state.stations.get(station)
    for job, _ in state.rows_of_station(station):
        if job.status in (JobStatus.OPEN, JobStatus.COMPLETED):
            yield job.test_token
            yield token_for(known, job.test_token)


def _is_form_of(said: IdTokenKey, token: IdTokenKey) -> bool:
    """The same, or one is the beginning of the other and long enough not to be anybody else's."""
    shorter = min(len(said), len(token))
    return said == token or (shorter >= RECOGNISED_CHARACTERS and said[:shorter] == token[:shorter])
