"""Everything the console serves: the operator API and its pages. Start at `API` and `PAGES`.

A page more is a module with `ROUTES`, named in `PAGES`, and a line in `drawing.NAVIGATION` where it belongs there.
"""

from cloud_relay.console import (
    account_pages,
    alert_pages,
    alerts_api,
    audit_pages,
    box_pages,
    charge_pages,
    charge_point_pages,
    doors,
    export_api,
    id_token_pages,
    job_desk,
    job_links,
    jobs_api,
    jobs_pages,
    live_pages,
    notes_pages,
    oidc_pages,
    operator_api,
    overview_pages,
    point_pages,
    serials,
    sign_in,
    site_pages,
    site_settings_api,
    site_settings_pages,
    team_pages,
    webhook_pages,
    webhooks_api,
)
from cloud_relay.console.idempotency import once
from cloud_relay.console.members import admitted
from web_ui.routes import Route

API: tuple[Route, ...] = tuple(
    once(route)
    for route in (
        *operator_api.ROUTES,
        *site_settings_api.ROUTES,
        *jobs_api.ROUTES,
        *alerts_api.ROUTES,
        *webhooks_api.ROUTES,
        *audit_pages.API_ROUTES,
        *export_api.ROUTES,
        *job_links.API_ROUTES,
        *serials.API_ROUTES,
    )
)
"""For programs; described in /openapi.json."""

PAGES: tuple[Route, ...] = tuple(
    admitted(route)
    for route in (
        *sign_in.ROUTES,
        *doors.ROUTES,
        *oidc_pages.ROUTES,
        *account_pages.ROUTES,
        *overview_pages.ROUTES,
        *live_pages.ROUTES,
        *site_pages.ROUTES,
        *box_pages.ROUTES,
        *site_settings_pages.ROUTES,
        *id_token_pages.ROUTES,
        *jobs_pages.ROUTES,
        *job_desk.ROUTES,
        *notes_pages.ROUTES,
        *point_pages.ROUTES,
        *charge_point_pages.ROUTES,
        *serials.ROUTES,
        *charge_pages.ROUTES,
        *alert_pages.ROUTES,
        *webhook_pages.ROUTES,
        *audit_pages.ROUTES,
        *team_pages.ROUTES,
        *job_links.PAGES,
    )
)
"""For people. Those of a team stand below /t/{team}, with auth "member" and a right of `fleet.permissions`."""
