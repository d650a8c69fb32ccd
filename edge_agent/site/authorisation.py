"""Who may charge. Pure. Start at `verdict_on`. Sources: DESIGN §7 (11), (14), (15); OCPP 1.6 §4.1 and §4.8."""

from edge_agent.site.admission import Policy
from edge_agent.site.installer_token import token_for
from sitelink.ids import StationKey
from sitelink.model import SiteState
from sitelink.states import AuthorizationStatus, JobStatus, Registration


def verdict_on(
    state: SiteState, policy: Policy, station: StationKey, id_token: str, connector: int | None = None
) -> AuthorizationStatus:
    """The installer's test token is accepted wherever its job runs; drivers only where the charge point is active."""
    known = state.stations.get(station)
    rows = list(state.rows_of_station(station))
    if known is None or known.registration is not Registration.ACCEPTED or not rows:
        return AuthorizationStatus.INVALID
    if is_test_token(state, station, id_token):
        return AuthorizationStatus.ACCEPTED
    found = state.row_of_connector(station, connector) if connector else None
    asked = [found[1]] if found else [row for _, row in rows]
    if not any(row.active and not row.maintenance and not row.owner for row in asked):
        return AuthorizationStatus.INVALID
    return AuthorizationStatus.ACCEPTED if policy.unknown_tokens == "accept" else AuthorizationStatus.INVALID


def is_test_token(state: SiteState, station: StationKey, id_token: str) -> bool:
    """Whether it is the installer's token of a job that names the station. Stations change its case."""
    said, known = id_token.strip().casefold(), state.stations.get(station)
    return any(
        said in (job.test_token.casefold(), token_for(known, job.test_token).casefold())
        for job, _ in state.rows_of_station(station)
        if job.status in (JobStatus.OPEN, JobStatus.COMPLETED)
    )
