"""Turns views into HTML. One environment, everything escaped, an undefined name is an error.

Start at `page` (a whole page), `region` (a fragment for a live page). What a station says passes the filter `shown`,
which makes control and direction-changing characters visible and caps the length (SECURITY §4.2, stored XSS). Most
days nobody opens a page, so the library that draws is loaded with the first one: by `prepare` off the event loop, by
`page` itself where nobody did.
"""

import re
import threading
import uuid
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup

from web_ui import wording
from web_ui.assets import asset_url
from web_ui.meter_views import ENERGIES, SHOWN_BY_PHASE
from web_ui.views import NOTE_MAX_CHARACTERS, JobView

if TYPE_CHECKING:
    from jinja2 import Environment

SHOWN_MAX_CHARACTERS = 160
SECTIONS = {
    "state": "Status", "about": "What it is", "places": "Connectors", "charges": "Charges", "files": "Files",
    "security": "Security log", "corrections": "Put right", "told": "Reported", "settings": "Settings",
    "messages": "Messages", "calls": "Calls by hand",
}  # fmt: skip
"""The parts of a Details page, each a live region and partials/detail_NAME.html."""
INSTALLERS_SECTIONS = tuple(name for name in SECTIONS if name != "calls")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufeff\ufff9-\ufffb]"
)
_BREAKS = re.compile("[\t\n]")
_MARKS_IN_A_ROW = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff\ufe20-\ufe2f]{3})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def shown(text: object, limit: int = SHOWN_MAX_CHARACTERS, lines: bool = False) -> str:
    """Foreign text made safe to look at: what cannot be seen becomes a symbol, `limit` characters at most.

    Line breaks stay where `lines` is true. The result is still text and is escaped like any other.
    """
    found = str(text or "").replace("\r\n", "\n")
    cut = found[:limit] + "…" if len(found) > limit else found
    cut = _UNSEEN.sub(lambda match: _symbol(match[0]), cut)
    cut = _MARKS_IN_A_ROW.sub(r"\1", cut)
    return cut if lines else _BREAKS.sub(" ", cut)


def _symbol(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨{code:04X}⟩"


def time_element(at: datetime, now: datetime | None = None) -> Markup:
    """Local time of the box for people, UTC for machines."""
    utc = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}">{}</time>').format(utc, wording.local_time(at, now))


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("web_ui"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    environment.filters.update(
        shown=shown,
        segment=lambda text: quote(str(text), safe=""),
        time=time_element,
        energy=wording.energy,
        power=wording.power,
        sentence=wording.sentence,
    )
    environment.globals.update(
        asset_url=asset_url,
        new_id=lambda: str(uuid.uuid4()),
        trouble=wording.trouble,
        next_step=wording.next_step,
        note_max=NOTE_MAX_CHARACTERS,
        section_titles=SECTIONS,
        meter_quantities=SHOWN_BY_PHASE,
        meter_energies=ENERGIES,
    )
    return environment


_PREPARING = threading.Lock()
_PREPARED = threading.Event()


def _is_everywhere(name: str) -> bool:
    """The console's own are for the cloud alone, and compiled when they are drawn first."""
    return not name.startswith("console/")


def is_prepared() -> bool:
    return _PREPARED.is_set()


def prepare() -> None:
    """Load what draws and compile every template. A fifth of a second of work, for a thread; once is enough."""
    with _PREPARING:
        if not _PREPARED.is_set():
            environment = _environment()
            for name in environment.list_templates(filter_func=_is_everywhere):
                environment.get_template(name)
            _PREPARED.set()


_DEFAULTS: dict[str, Any] = {
    "errors": {}, "flash": None, "problem": None, "fields": {}, "csrf": "", "home": "/j", "home_text": "Go to the job",
    "at": "/j", "operator": False, "may_write": True,
}  # fmt: skip


def page(name: str, **context: Any) -> str:
    """A whole page: entry.html, job.html, actions.html, notes.html, complete.html.

    job.html: view, csrf, flash (code), errors ({row id: {field: ErrorView}}). actions.html and notes.html: also row,
    and errors is {field: ErrorView}, as in complete.html. entry.html: problem (code) and its fields; it also stands
    for every other error. An ErrorView without code only keeps what was typed. What is left out is empty.
    """
    return _environment().get_template(name).render({**_DEFAULTS, **context})


def partial(name: str, **context: Any) -> str:
    """A fragment: templates/partials/NAME.html."""
    return _environment().get_template(f"partials/{name}.html").render({**_DEFAULTS, **context})


def region(name: str, view: JobView, csrf: str, **more: Any) -> str | None:
    """The fragment of a live region: header, seen, meters, completion, cp:ID, actions:ID, notes:ID. None: no such."""
    if name in ("header", "seen", "meters", "completion"):
        return partial(name, view=view, csrf=csrf, **more)
    kind, _, row_id = name.partition(":")
    partial_name = {"cp": "charge_point", "actions": "actions", "notes": "notes"}.get(kind)
    row = view.row(row_id) if partial_name else None
    if partial_name is None or row is None:
        return None
    return partial(partial_name, view=view, row=row, csrf=csrf, **more)


def detail_region(name: str, **context: Any) -> str | None:
    """The fragment of a live region of a Details page: of SECTIONS, frames, hand_calls, transfers. None: no such."""
    if name in ("frames", "hand_calls"):
        return partial(name, **context)
    if name == "transfers":
        return partial("files", **context)
    return partial("section", section=name, **context) if name in SECTIONS else None
