import re
from html.parser import HTMLParser

import pytest

from sitelink import events as e
from sitelink.errors import IdentityInUse, NoteInvalid
from sitelink.ids import ChargePointId
from sitelink.states import ActionName, ConnectorStatus
from tests.doubles.sites import INSTALLER, JOB, NOW, OPERATOR, MadeSite, harbour_garage, row
from web_ui import render
from web_ui.ports import Relay
from web_ui.views import ChargePointView, ErrorView, JobView, error_view, job_view

CSRF = "csrf-value"
HOSTILE = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{7*7}}", "{% raw %}", "javascript:alert(1)",
    "' onfocus='alert(1)", "\u202egnp.exe", "a\u0000b\x1b[31m", "</title></textarea></style><svg onload=alert(1)>",
    "Z\u0335\u0337\u0336\u0338\u0321\u0322a\u0335\u0337\u0336\u0338lgo", "\u200b\u200b\ufeff", "x" * 5000, "&lt;b&gt;",
)  # fmt: skip
VOID = {"meta", "link", "input", "br", "img", "hr"}


class Page(HTMLParser):
    """Elements with their attributes and the text inside; fails on tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self._texts: list[list[str]] = []
        self.contents: list[tuple[str, dict[str, str | None], str]] = []
        self._attributes: list[dict[str, str | None]] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
            self._texts.append([])
            self._attributes.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        text = "".join(self._texts.pop())
        self.contents.append((tag, self._attributes.pop(), " ".join(text.split())))
        if self._texts:
            self._texts[-1].append(text)

    def handle_data(self, data: str) -> None:
        if self._texts:
            self._texts[-1].append(data)

    def texts(self, tag: str, css: str = "") -> list[str]:
        return [
            text
            for name, attributes, text in self.contents
            if name == tag and (not css or css in (attributes.get("class") or "").split())
        ]


def view_of(site: MadeSite, **facts: object) -> JobView:
    return job_view(site.snapshot(**facts), JOB, link=site.link())  # type: ignore[arg-type]


def job_page(site: MadeSite, **context: object) -> Page:
    return Page(render.page("job.html", view=view_of(site), csrf=CSRF, **context))


def dialog_page(name: str, site: MadeSite, number: int = 1, **context: object) -> Page:
    view = view_of(site)
    return Page(render.page(name, view=view, row=view.row(f"row-{number}"), csrf=CSRF, **context))


def every_page(site: MadeSite) -> list[str]:
    view = view_of(site)
    pages = [render.page("job.html", view=view, csrf=CSRF), render.page("complete.html", view=view, csrf=CSRF)]
    for each in view.charge_points:
        pages += [render.page(name, view=view, row=each, csrf=CSRF) for name in ("actions.html", "notes.html")]
    return pages


def test_the_status_cell_is_exactly_the_status() -> None:
    site = harbour_garage()
    assert job_page(site).texts("td", "st") == [each.status for each in view_of(site).charge_points]


def test_the_page_uses_the_words_of_the_guide() -> None:
    page = job_page(harbour_garage())
    headings = page.texts("th")
    for word in ("Charge Point Identity", "Connector", "Status", "Remote actions", "Notes"):
        assert word in headings
    assert "8 / 14 connected" in page.texts("b")
    assert page.texts("h1") == ["Installer job 1042 Open"]
    assert "Mark as complete" in page.texts("button")
    assert "Harbour Garage" in page.texts("p", "site")


def test_the_four_actions_and_the_note_have_the_names_of_the_guide() -> None:
    site = harbour_garage()
    assert dialog_page("actions.html", site, 3).texts("button", "big") == ["Start", "Stop", "Unlock", "Reboot"]
    notes = dialog_page("notes.html", site, 3)
    assert "Installer note" in notes.texts("label")
    assert "Save" in notes.texts("button")
    completion = Page(render.page("complete.html", view=view_of(site), csrf=CSRF))
    assert "Activate All Charge Points" in completion.texts("label")


@pytest.mark.parametrize("by_default", [True, False])
def test_activation_is_checked_as_the_job_says(by_default: bool) -> None:
    site = MadeSite()
    site.job(row(1, "CP001"), activate_by_default=by_default)
    page = Page(render.page("complete.html", view=view_of(site), csrf=CSRF))
    (box,) = [attributes for _, attributes in page.elements if attributes.get("name") == "activate_all"]
    assert ("checked" in box) is by_default
    assert box["value"] == "1"


def test_every_form_that_changes_something_carries_the_csrf_field() -> None:
    for html in every_page(harbour_garage()):
        forms = re.findall(r"<form method=\"post\".*?</form>", html, re.S)
        assert forms
        assert all(f'name="csrf" value="{CSRF}"' in form for form in forms)


def test_no_page_breaks_the_content_security_policy() -> None:
    for html in every_page(harbour_garage()):
        for tag, attributes in Page(html).elements:
            assert "style" not in attributes
            assert not [name for name in attributes if name.startswith("on")]
            assert tag != "style"
            assert tag != "script" or attributes.get("src", "").startswith("/static/")  # type: ignore[union-attr]
        assert "<script>" not in html


def test_ids_are_unique_on_every_page() -> None:
    for html in every_page(harbour_garage()):
        ids = [attributes["id"] for _, attributes in Page(html).elements if "id" in attributes]
        assert len(ids) == len(set(ids))


def test_every_control_has_a_label() -> None:
    for html in every_page(harbour_garage()):
        page = Page(html)
        labelled = {attributes.get("for") for tag, attributes in page.elements if tag == "label"}
        for tag, attributes in page.elements:
            if tag not in ("input", "select", "textarea") or attributes.get("type") in ("hidden", "checkbox"):
                continue
            assert attributes.get("id") in labelled


def test_the_table_says_what_it_is_where_css_takes_it_apart() -> None:
    roles = [
        attributes.get("role") for tag, attributes in job_page(harbour_garage()).elements if tag in ("td", "th", "tr")
    ]
    assert None not in roles


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_station_or_a_person_says_stays_text(text: str) -> None:
    site = MadeSite()
    site.job(row(1, "CP001"), row(2))
    site.boot("CP001", vendor=text, model=text, serial=text)
    site.connector("CP001", ConnectorStatus.FAULTED, error_code=text, info=text, vendor_error_code=text)
    site.record("station:cp001", e.StationFaulted(code="serial_changed", detail={"serial": text, "before": text}))
    site.record("cp:row-1", e.NoteAdded(text=text), INSTALLER)
    site.record("cp:row-1", e.OwnershipLearned(team=text))
    site.record("knock:1", e.Knocked(identity=text, ip=text, reason=text, vendor=text, model=text, serial=text))
    site.record("knock:2", e.Knocked(identity=text, ip=text, reason="unknown_identity", vendor=text, model=text))
    site.command("row-1", ActionName.START, "c1", answer=text)
    for html in every_page(site):
        for tag, attributes in Page(html).elements:
            assert tag not in ("img", "svg", "style")
            assert not [name for name in attributes if name.startswith("on")]
            assert not (attributes.get("href") or "").startswith("javascript:")
        visible = re.sub(r'value="[^"]*"', "", html)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e\u200b\ufeff]", visible)
        assert "x" * 2100 not in visible


def test_shown_makes_visible_what_cannot_be_seen() -> None:
    assert render.shown("a\x00b\x1b\x7f\u202ec") == "a␀b␛␡⟨202E⟩c"
    assert render.shown("one\ntwo") == "one two"
    assert render.shown("one\r\ntwo", lines=True) == "one\ntwo"
    assert render.shown("x" * 500, 10) == "x" * 10 + "…"
    assert render.shown(None) == ""
    assert render.shown("Größe 日本 👍") == "Größe 日本 👍"


def test_a_time_is_local_for_people_and_utc_for_machines() -> None:
    html = str(render.time_element(NOW, NOW))
    assert html == f'<time datetime="2026-11-23T10:45:00Z">{NOW.astimezone():%H:%M}</time>'


def test_a_refused_identity_keeps_what_was_typed_and_offers_the_swap() -> None:
    problem = error_view(IdentityInUse(charge_point="row-1", name="Bay 1", identity="x", connector=1), "ZPR104221")
    page = job_page(harbour_garage(), errors={"row-2": {"identity": problem, "connector": ErrorView("", "", "", "2")}})
    fields = {attributes.get("id"): attributes for _, attributes in page.elements}
    assert fields["i-row-2"]["value"] == "ZPR104221"
    assert fields["i-row-2"]["aria-invalid"] == "true"
    assert fields[fields["i-row-2"]["aria-describedby"]]
    assert "aria-invalid" not in fields["c-row-2"]
    assert "Swap the two" in page.texts("button")
    assert any(attributes.get("name") == "b" and attributes.get("value") == "row-1" for _, attributes in page.elements)
    assert fields["errors"]["role"] == "alert"


def test_a_refused_note_is_still_in_its_field() -> None:
    problem = error_view(NoteInvalid(problem="too_long", allowed=2000), "my long note")
    page = dialog_page("notes.html", harbour_garage(), 3, errors={"text": problem})
    assert "my long note" in page.texts("textarea")


def test_a_completed_job_offers_nothing_to_change() -> None:
    site = MadeSite()
    site.job(row(1, "CP001"))
    site.ready("CP001")
    site.record(f"job:{JOB}", e.JobCompleted(activate=(ChargePointId("row-1"),), round=1), INSTALLER)
    page = job_page(site)
    assert "Mark as complete" not in page.texts("button")
    assert "Save" not in page.texts("button")
    assert page.texts("h1") == ["Installer job 1042 Completed"]
    fields = {attributes.get("id"): attributes for _, attributes in page.elements}
    assert "readonly" in fields["i-row-1"]
    assert "disabled" in fields["c-row-1"]
    actions = dialog_page("actions.html", site)
    assert all("disabled" in each for _, each in actions.elements if each.get("class") == "btn big")


def test_reboot_always_asks_and_unlock_asks_while_a_car_charges() -> None:
    site = MadeSite()
    site.job(row(1, "CP001"))
    site.ready("CP001")
    idle = dialog_page("actions.html", site)
    assert [each["id"] for _, each in idle.elements if "popover" in each] == ["ask-reboot"]
    site.charge("CP001", 5)
    charging = dialog_page("actions.html", site)
    assert [each["id"] for _, each in charging.elements if "popover" in each] == ["ask-unlock", "ask-reboot"]
    confirms = [each for _, each in charging.elements if each.get("name") == "confirm"]
    assert len(confirms) == 2


def test_without_script_the_actions_page_looks_again_only_while_something_runs() -> None:
    site = MadeSite()
    site.job(row(1, "CP001"))
    site.ready("CP001")
    view = view_of(site)
    assert "http-equiv" not in render.page("actions.html", view=view, row=view.row("row-1"), csrf=CSRF)
    site.command("row-1", ActionName.START, "c1")
    view = view_of(site)
    assert '<noscript><meta http-equiv="refresh" content="2">' in render.page(
        "actions.html", view=view, row=view.row("row-1"), csrf=CSRF
    )


def test_each_form_of_an_action_brings_its_own_command_id() -> None:
    page = dialog_page("actions.html", harbour_garage(), 3)
    ids = [each["value"] for _, each in page.elements if each.get("name") == "command_id"]
    assert len(ids) == len(set(ids)) == 4


def test_a_conflict_offers_every_value_and_names_all_heads() -> None:
    site = MadeSite()
    site.job(row(1, "CP001"))
    base = site.state.charge_points[ChargePointId("row-1")].identity_register.heads[0].op
    heads = [
        site.record("cp:row-1", e.FieldSet(value=value), author, "identity", (base,))
        for value, author in (("CP002", INSTALLER), ("CP003", OPERATOR))
    ]
    html = render.region("cp:row-1", view_of(site), CSRF)
    assert html is not None
    assert html.count(f'name="bases" value="{" ".join(heads)}"') == 2
    assert "Use CP002" in html
    assert "Use CP003" in html


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("header", "header"), ("seen", "seen"), ("completion", "completion"), ("cp:row-3", "cp-row-3"),
        ("actions:row-3", "actions-row-3"), ("notes:row-3", "notes-row-3"),
    ],
)  # fmt: skip
def test_a_region_is_one_element_that_the_page_has_too(name: str, root: str) -> None:
    view = view_of(harbour_garage())
    html = render.region(name, view, CSRF)
    assert html is not None
    tag, attributes = Page(html).elements[0]
    assert tag
    assert attributes["id"] == root
    assert attributes["data-region"] == name
    if not name.startswith(("actions", "notes")):
        assert f'data-region="{name}"' in render.page("job.html", view=view, csrf=CSRF)


@pytest.mark.parametrize("name", ["", "page", "cp:", "cp:row-99", "actions:", "zork:row-1", "../base.html"])
def test_there_is_no_other_region(name: str) -> None:
    assert render.region(name, view_of(harbour_garage()), CSRF) is None


@pytest.mark.parametrize(
    ("relay", "said"),
    [
        (Relay(), "Box to operator: not used on this site"),
        (Relay(configured=True, connected=True), "Box to operator: OK"),
        (Relay(configured=True, backlog=3), "Box to operator: offline (3 changes waiting)."),
    ],
)
def test_the_header_tells_how_the_box_stands_to_the_operator(relay: Relay, said: str) -> None:
    html = render.region("header", view_of(harbour_garage(), relay=relay), CSRF)
    assert html is not None
    assert any(text.startswith(said) for text in Page(html).texts("li"))


def test_trouble_with_the_disk_is_said_at_the_top() -> None:
    html = render.region("header", view_of(harbour_garage(), trouble="disk_full"), CSRF)
    assert html is not None
    assert "storage is full" in html
    assert 'role="alert"' in html


@pytest.mark.parametrize(
    ("problem", "fields", "form"),
    [
        (None, {}, True), ("link_unknown", {}, True), ("too_many", {"retry_after_s": 60}, True),
        ("link_ended", {"number": "1042", "status": "archived", "at": "2026-01-12T10:00:00Z"}, True),
        ("not_found", {"what": "page"}, False), ("server_fault", {"ref": "7F2"}, False),
    ],
)  # fmt: skip
def test_the_entry_card_says_what_is_wrong(problem: str | None, fields: dict[str, object], form: bool) -> None:
    page = Page(render.page("entry.html", problem=problem, fields=fields))
    assert ("Open job" in page.texts("button")) is form
    if problem == "server_fault":
        assert page.texts("h1") == ["The box could not do this (code 7F2). Nothing was lost."]


def test_a_row_of_the_page_and_its_region_are_the_same() -> None:
    view = view_of(harbour_garage())
    rows: tuple[ChargePointView, ...] = view.charge_points
    html = render.page("job.html", view=view, csrf=CSRF)
    for each in rows:
        fragment = render.region(f"cp:{each.id}", view, CSRF)
        assert fragment is not None
        assert fragment.strip() in html


def test_templates_are_all_compiled_once_somebody_wants_to_see_a_page() -> None:
    render.prepare()
    assert render.is_prepared()
    environment = render._environment()
    assert environment.cache is not None
    compiled = {name for _, name in environment.cache}
    everywhere = {name for name in environment.list_templates() if not name.startswith("console/")}
    assert everywhere <= compiled, "none is left for the event loop"
    assert "GATEPOST" in render.page("entry.html").upper()
