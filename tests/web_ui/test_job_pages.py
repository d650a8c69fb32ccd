"""The pages with script switched off: forms, redirects, what was typed."""

import asyncio
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import aiohttp
import pytest

from edge_agent.site.ports import Trouble
from sitelink.ids import station_key
from sitelink.ops import Author
from sitelink.states import AuthorType
from tests.doubles.box_pages import Box, Browser, running_box
from tests.doubles.core import INSTALLER
from web_ui import wording


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with running_box() as running:
        yield running


@pytest.fixture
async def browser(box: Box) -> Browser:
    return await box.browser()


class Forms(HTMLParser):
    """Every form of a page, by its action, with its hidden fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._action = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = given.get("action", "")
            self.found.setdefault(self._action, {})
        if tag == "input" and given.get("type") == "hidden":
            self.found[self._action][given["name"]] = given.get("value", "")


# ---- coming in ----


async def test_the_entry_card_is_for_everybody(box: Box) -> None:
    for path in ("/", "/j"):
        answer = await box.client().get(path)
        assert answer.status == 200
        assert "/j/open" in Forms(await answer.text()).found


@pytest.mark.parametrize("paste", ["{token}", " {link}\n", "Job 1042: {link}"])
async def test_a_pasted_link_opens_the_job(box: Box, paste: str) -> None:
    client, token = box.client(), box.imported.token
    pasted = paste.format(token=token, link=f"http://192.0.2.1:8080/j#{token}")
    answer = await client.post("/j/open", data={"token": pasted, "csrf": ""}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/j")
    page = await (await client.get("/j")).text()
    assert "Installer job 1042" in page
    assert "Harbour Garage" in page
    assert token not in page


async def test_a_wrong_token_gets_the_card_again_and_too_many_a_pause(box: Box) -> None:
    client = box.client()
    for _ in range(10):
        answer = await client.post("/j/open", data={"token": "gl1_wrong"})
        assert answer.status == 404
        assert "That code does not match a job on this box." in await answer.text()
    answer = await client.post("/j/open", data={"token": box.imported.token})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
    assert "Too many tries" in await answer.text()


async def test_an_ended_link_says_so(box: Box, browser: Browser) -> None:
    await box.core.jobs.archive(box.core.job().id)
    for answer in (
        await browser.get("/j"),
        await box.client().post("/j/open", data={"token": box.imported.token}),
    ):
        assert answer.status == 410
        text = await answer.text()
        assert "This link has ended. Job 1042 was archived" in text


async def test_a_void_cookie_is_dropped_and_the_card_shown(box: Box, browser: Browser) -> None:
    box.core.clock.advance(13 * 3600)
    answer = await browser.get("/j")
    assert answer.status == 200
    assert "/j/open" in Forms(await answer.text()).found
    assert 'gatepost_session="";' in answer.headers["Set-Cookie"]


async def test_leaving_forgets_the_session(browser: Browser) -> None:
    answer = await browser.submit("/j/leave", {})
    assert (answer.status, answer.headers["Location"]) == (303, "/j?saved=left")
    assert (await browser.get("/api/v1/job")).status == 401
    assert (await browser.client.post("/j/leave", data={}, allow_redirects=False)).status == 303


# ---- editing ----


async def test_saving_a_row_and_coming_back_to_it(box: Box, browser: Browser) -> None:
    row = box.row()
    answer = await browser.submit(f"/j/charge-points/{row}", {"identity": "ZPR104223", "connector": "2"})
    assert (answer.status, answer.headers["Location"]) == (303, f"/j?saved=saved#cp-{row}")
    page = await (await browser.get(answer.headers["Location"])).text()
    assert "Saved on the box." in page
    assert (box.core.row("Bay 1").identity, box.core.row("Bay 1").connector) == ("ZPR104223", 2)


async def test_what_stands_in_the_address_is_never_shown(browser: Browser) -> None:
    page = await (await browser.get("/j?saved=%3Cb%3Eevil")).text()
    assert "evil" not in page


@pytest.mark.parametrize(
    ("identity", "status", "said"),
    [("bad/one", 422, "cannot be part of"), ("CP002", 409, "Bay 2 already uses"), ("x" * 60, 422, "60 characters")],
)
async def test_a_refused_identity_comes_back_as_it_was_typed(
    box: Box, browser: Browser, identity: str, status: int, said: str
) -> None:
    answer = await browser.submit(f"/j/charge-points/{box.row()}", {"identity": identity, "connector": "1"})
    text = await answer.text()
    assert answer.status == status
    assert f'value="{identity}"' in text
    assert said in text
    assert box.core.row("Bay 1").identity == "CP001"


async def test_a_double_offers_to_swap_and_swapping_works(box: Box, browser: Browser) -> None:
    answer = await browser.submit(f"/j/charge-points/{box.row()}", {"identity": "CP002", "connector": "1"})
    fields = Forms(await answer.text()).found["/j/swap"]
    assert (fields["a"], fields["b"]) == (box.row("Bay 1"), box.row("Bay 2"))
    swapped = await browser.submit("/j/swap", {"a": fields["a"], "b": fields["b"]})
    assert swapped.headers["Location"] == f"/j?saved=swapped#cp-{fields['a']}"
    assert (box.core.row("Bay 1").identity, box.core.row("Bay 2").identity) == ("CP002", "CP001")


async def test_a_connector_that_is_no_number_is_refused(box: Box, browser: Browser) -> None:
    answer = await browser.submit(f"/j/charge-points/{box.row()}", {"identity": "KEPT", "connector": "two"})
    assert answer.status == 422
    assert 'value="KEPT"' in await answer.text()


async def test_an_edit_over_another_phones_edit_is_shown_and_settled(box: Box, browser: Browser) -> None:
    row = box.row()
    shown = Forms(await (await browser.get("/j")).text()).found[f"/j/charge-points/{row}"]["bases"]
    for identity in ("PHONE-A", "PHONE-B"):
        await browser.submit(f"/j/charge-points/{row}", {"identity": identity, "bases": shown})
    page = await (await browser.get("/j")).text()
    fields = Forms(page).found[f"/j/charge-points/{row}/resolve"]
    assert {"PHONE-A", "PHONE-B"} <= {word.strip('"<>/') for word in page.replace("<", " ").split()}
    answer = await browser.submit(f"/j/charge-points/{row}/resolve", {**fields, "value": "PHONE-A"})
    assert answer.headers["Location"] == f"/j?saved=resolved#cp-{row}"
    assert [head.value for head in box.core.row("Bay 1").identity_register.heads] == ["PHONE-A"]


async def test_what_cannot_be_saved_is_kept_on_the_page(box: Box, browser: Browser) -> None:
    csrf = await browser.csrf()
    box.core.journal.fail(Trouble("disk_full", box.core.clock.now()))
    answer = await browser.client.post(f"/j/charge-points/{box.row()}", data={"identity": "TYPED", "csrf": csrf})
    assert answer.status == 503
    assert 'value="TYPED"' in await answer.text()
    note = await browser.client.post(f"/j/charge-points/{box.row()}/notes", data={"text": "kept note", "csrf": csrf})
    assert (note.status, "kept note" in await note.text()) == (503, True)


async def test_a_script_gets_data_instead_of_pages(box: Box, browser: Browser) -> None:
    path = f"/j/charge-points/{box.row()}"
    saved = await browser.submit(path, {"identity": "NEW"}, Accept="application/json")
    assert (saved.status, await saved.json()) == (200, {"ok": True})
    refused = await browser.submit(path, {"identity": "a/b"}, Accept="application/json")
    assert (refused.status, (await refused.json())["code"]) == (422, "identity_invalid")


async def test_forms_may_come_as_form_data(box: Box, browser: Browser) -> None:
    data = aiohttp.FormData({"identity": "NEW", "csrf": await browser.csrf()}, default_to_multipart=True)
    answer = await browser.client.post(f"/j/charge-points/{box.row()}", data=data, allow_redirects=False)
    assert answer.status == 303
    data = aiohttp.FormData({"csrf": await browser.csrf()})
    data.add_field("identity", b"x", filename="x.txt")
    answer = await browser.client.post(f"/j/charge-points/{box.row()}", data=data, allow_redirects=False)
    assert answer.status == 400


# ---- dialogs ----


async def test_an_action_by_form_runs_once_however_often_it_is_pressed(box: Box, browser: Browser) -> None:
    await box.core.boot("CP001")
    path = f"/j/charge-points/{box.row()}/actions"
    page = await (await browser.get(path)).text()
    id_ = page.split('name="command_id" value="', 1)[1].split('"', 1)[0]
    for _ in range(2):
        answer = await browser.submit(path, {"action": "start", "command_id": id_})
        assert (answer.status, answer.headers["Location"]) == (303, path)
    assert list(box.core.journal.state.commands) == [id_]


async def test_a_disabled_action_by_form_says_why(box: Box, browser: Browser) -> None:
    path = f"/j/charge-points/{box.row()}/actions"
    answer = await browser.submit(path, {"action": "stop"})
    assert answer.status == 409
    assert "The charge point is not connected." in await answer.text()
    assert (await browser.submit(path, {"action": "explode"})).status == 400


async def test_a_note_by_form(box: Box, browser: Browser) -> None:
    path = f"/j/charge-points/{box.row()}/notes"
    answer = await browser.submit(path, {"text": "Cable <b>short</b>\r\nsecond line"})
    assert answer.headers["Location"] == f"{path}?saved=note_saved"
    page = await (await browser.get(path)).text()
    assert "Cable &lt;b&gt;short&lt;/b&gt;" in page
    long = await browser.submit(path, {"text": "y" * 2001})
    assert (long.status, "y" * 2001 in await long.text()) == (422, True)


@pytest.mark.parametrize(("ticked", "active"), [({"activate_all": "1"}, True), ({}, False)])
async def test_completing_by_form(box: Box, browser: Browser, ticked: dict[str, str], active: bool) -> None:
    assert (await browser.get("/j/complete")).status == 200
    answer = await browser.submit("/j/complete", {"reason": "no power", "name": "Kim", **ticked})
    assert (answer.status, answer.headers["Location"]) == (303, "/j?saved=completed")
    assert box.core.row("Bay 1").active is active
    completion = box.core.job().completion
    assert completion is not None
    assert (completion.name, completion.reason) == ("Kim", "no power")
    page = await (await browser.get(answer.headers["Location"])).text()
    assert wording.sentence("completed") in page


async def test_completing_twice_says_who_was_first(box: Box, browser: Browser) -> None:
    author = Author(type=AuthorType.INSTALLER, name="Other phone")
    await box.core.jobs.complete(box.core.job().id, author, activate_all=True)
    answer = await browser.submit("/j/complete", {"activate_all": "1"})
    assert answer.status == 409
    assert "Already completed" in await answer.text()


async def test_pairing_by_form(box: Box, browser: Browser) -> None:
    answer = await browser.submit("/j/pairing", {})
    assert answer.headers["Location"] == "/j?saved=pairing_opened"
    assert box.core.job().pairing is not None


async def test_regions_are_what_the_page_shows(box: Box, browser: Browser) -> None:
    for region in ("header", "seen", "completion", f"cp:{box.row()}", f"actions:{box.row()}"):
        answer = await browser.get(f"/j/regions/{region}")
        assert answer.status == 200
        assert "<html" not in await answer.text()
    for region in ("nothing", "cp:nobody"):
        assert (await browser.get(f"/j/regions/{region}")).status == 404


async def test_pages_without_a_session_show_the_card(box: Box) -> None:
    for path in ("/j/complete", f"/j/charge-points/{box.row()}/actions", "/j/regions/header"):
        answer = await box.client().get(path)
        assert answer.status == 401
        assert "/j/open" in Forms(await answer.text()).found


async def test_rows_of_nobody_are_not_found(browser: Browser) -> None:
    for path in ("/j/charge-points/nobody/actions", "/j/charge-points/nobody/notes"):
        assert (await browser.get(path)).status == 404
    assert (await browser.submit("/j/charge-points/nobody", {"identity": "X"})).status == 404
    assert (await browser.submit("/j/swap", {"a": "nobody", "b": "none"})).status == 404


@pytest.mark.parametrize("body", [b"identity=%ff", b"&".join(b"a%d=1" % n for n in range(100)), b"\xff=1"])
async def test_a_form_that_is_none_is_refused(box: Box, browser: Browser, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", **browser.own}
    answer = await browser.client.post(f"/j/charge-points/{box.row()}", data=body, headers=headers)
    assert answer.status == 400


async def test_two_phones_press_complete_at_once(box: Box) -> None:
    phones = [await box.browser(), await box.browser()]
    answers = await asyncio.gather(*(phone.submit("/j/complete", {"activate_all": "1"}) for phone in phones))
    assert sorted(answer.status for answer in answers) == [303, 409]


async def test_saving_a_connector_does_not_settle_a_conflict_about_the_identity(box: Box, browser: Browser) -> None:
    row = box.core.row("Bay 1")
    shown = [head.op for head in row.identity_register.heads]
    for identity in ("AAA1", "BBB2"):
        await box.core.jobs.edit(box.imported.job, row.id, INSTALLER, identity=identity, bases=shown)
    row = box.core.row("Bay 1")
    heads = [head.op for head in (*row.identity_register.heads, *row.connector_register.heads)]
    form = {"identity": row.identity, "connector": "2", "bases": " ".join(heads)}
    assert (await browser.submit(f"/j/charge-points/{row.id}", form)).status == 303
    assert box.core.row("Bay 1").connector == 2
    assert box.core.row("Bay 1").identity_register.conflicting


async def test_an_exchanged_station_is_accepted_by_a_button(box: Box, browser: Browser) -> None:
    for serial in ("A", "B"):
        await box.core.boot("CP001", serial=serial)
    assert "It was exchanged" in await (await browser.get("/j")).text()
    path = f"/j/charge-points/{box.row()}/confirm"
    assert (await browser.submit(path, {})).status == 303
    assert "It was exchanged" not in await (await browser.get("/j")).text()
    assert box.core.journal.state.stations[station_key("CP001")].faults == ()
