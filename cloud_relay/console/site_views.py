"""Sites, boxes and charge points in the words of the console's lists. Pure. Start at `box_view`."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from cloud_relay.fleet.log_records import Listed
from cloud_relay.fleet.points import Point
from cloud_relay.fleet.records import Site
from cloud_relay.fleet.site_lines import BoxLine, BoxState, SiteLine
from sitelink.status import Status
from web_ui import wording
from web_ui.views import tone_of


class BoxView(msgspec.Struct, frozen=True):
    """A box. `at` belongs behind `words`; `sync` is what it has of the site's log; `alarm` and `step`: what is wrong
    with it, and what to do.
    """

    id: str
    name: str
    words: str
    tone: str
    at: datetime | None
    software: str
    sync: str
    alarm: str
    step: str
    here: bool
    """Not revoked."""
    stopped: bool
    boots: tuple[str, ...] = ()
    """The starts that two boxes with its disk came from; one is to be chosen."""
    came: bool = False
    """It was here once, so that another can take its place."""


class SiteRow(msgspec.Struct, frozen=True):
    """A line of the list of sites. `total` None: nothing is known of its charge points."""

    id: str
    name: str
    address: str
    boxes: tuple[BoxView, ...]
    connected: int
    total: int
    jobs: tuple[Listed, ...]


class PointRow(msgspec.Struct, frozen=True):
    """A charge point in a list: its exact status, as the installer reads it, and why."""

    id: str
    name: str
    identity: str
    connector: int
    status: str
    tone: str
    explanation: str
    job: str
    job_id: str
    model: str
    last_seen: datetime | None


_WORDS: dict[BoxState, tuple[str, str]] = {
    BoxState.ONLINE: ("online", "ok"),
    BoxState.OFFLINE: ("offline since", "problem"),
    BoxState.EXPECTED: ("expected until", "waiting"),
    BoxState.EXPIRED: ("did not come; its claim ended", "off"),
    BoxState.NEW: ("claimed, not connected yet", "waiting"),
    BoxState.STOPPED: ("stopped since", "problem"),
    BoxState.REVOKED: ("revoked", "off"),
}
_STEPS = {
    "serial_in_use": "Check the label. If it is right, ask that team to release it.",
    "no_integration_configured": "Its job lists it without a connection.",
    "no_integration": "Its job names a connection no box has.",
}
"""What an operator can do, where the installer is told to ask the operator."""
_ALARMS = {
    "restored": (
        "Its disk is back in an earlier state. Nothing that had reached the cloud is lost.",
        "What it did in between and had not sent is gone: compare its jobs with the site.",
    ),
    "copied": (
        "Two boxes take turns under its name: its disk was copied. Neither is served.",
        "Find out which one belongs here and switch the other off; then let it connect again.",
    ),
}  # fmt: skip


def box_view(box: BoxLine) -> BoxView:
    words, tone = ("replaced", "off") if box.gateway.replaced_by else _WORDS[box.state]
    alarm, step = _ALARMS.get("copied" if box.state is BoxState.STOPPED else box.alarm or "", ("", ""))
    return BoxView(
        id=box.gateway.id, name=box.gateway.name, words=words, tone=tone, at=_at(box),
        software=box.link.software if box.link is not None else "", sync=_sync(box), alarm=alarm, step=step,
        here=box.state is not BoxState.REVOKED, stopped=box.state is BoxState.STOPPED,
        boots=tuple(dict.fromkeys(box.link.boots)) if box.link is not None else (),
        came=box.gateway.enrolled_at is not None,
    )  # fmt: skip


def _at(box: BoxLine) -> datetime | None:
    if box.state in (BoxState.EXPECTED, BoxState.EXPIRED):
        return box.gateway.claim_expires_at
    if box.state is BoxState.REVOKED:
        return box.gateway.revoked_at
    if box.link is None or box.state is BoxState.ONLINE:
        return None
    return box.link.quarantined_at if box.state is BoxState.STOPPED else box.link.seen_at


def _sync(box: BoxLine) -> str:
    """What the cloud has for it; of one that was replaced, whether it handed over what it had."""
    if box.gateway.replaced_by:
        late = box.link is not None and box.link.late_since is not None
        return "It came once more and handed over what it had." if late else "It may come once more, to hand over."
    if box.state not in (BoxState.ONLINE, BoxState.OFFLINE, BoxState.NEW, BoxState.STOPPED):
        return ""
    if box.behind == 0:
        return "Delivered: it has everything from here."
    changes = f"{box.behind:,} {'change' if box.behind == 1 else 'changes'}"
    wait = "waits" if box.behind == 1 else "wait"
    return f"{changes} on the way to it." if box.state is BoxState.ONLINE else f"{changes} {wait} for it."


def stale_since(boxes: Sequence[BoxLine]) -> datetime | None:
    """When what is shown of the site's charge points was told last, where no box tells of them now."""
    if any(box.state is BoxState.ONLINE for box in boxes):
        return None
    seen = [box.link.seen_at for box in boxes if box.link is not None and box.link.seen_at is not None]
    return max(seen, default=None)


def site_row(line: SiteLine, connected: tuple[int, int]) -> SiteRow:
    site: Site = line.site
    return SiteRow(site.id, site.name, site.address, tuple(box_view(box) for box in line.boxes), *connected, line.jobs)


def point_rows(points: Sequence[Point], now: datetime | None) -> tuple[PointRow, ...]:
    """`now` None: times are read elsewhere and later, so that they have their date."""
    return tuple(_point_row(point, now) for point in points)


def _explained(status: Status, now: datetime | None) -> str:
    """As the installer reads it, but for what tells them to ask the operator."""
    fields = {**status.fields, "now": now}
    own = _STEPS.get(status.explanation)
    if own is None:
        return wording.full(status.explanation, fields)
    return f"{wording.sentence(status.explanation, fields)} {own}"


def _point_row(point: Point, now: datetime | None) -> PointRow:
    row, status, station = point.row, point.status, point.station
    said = [each for each in (station.vendor, station.model) if each] if station is not None else []
    return PointRow(
        id=row.id, name=row.name, identity=row.identity, connector=row.connector, status=status.text,
        tone=tone_of(status), explanation=_explained(status, now),
        job=point.job.number, job_id=point.job.id, model=" ".join(said) or row.model or "",
        last_seen=point.heard,
    )  # fmt: skip
