"""A charge point in full, and what is ordered of it."""

import uuid
from pathlib import Path

from cloud_relay.fleet.roles import Role
from sitelink.wire import messages as m
from tests.doubles.console import Person, running_console
from tests.doubles.fleet import Box, box_of, hours_ago
from tests.doubles.sites import MadeSite, charging_day, harbour_garage, row


def path_of(person: Person, box: Box, row: str) -> str:
    return f"{person.base}/sites/{box.place.site}/charge-points/{row}"


async def test_it_shows_status_axes_facts_and_what_was_ordered(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        box.come()
        text = (await person.get(path_of(person, box, "row-3"))).text
        assert '<p class="st big busy">connected (busy-charging)</p>' in text
        assert "<b>busy-charging</b> since" in text
        assert "<dd>1.4.2</dd>" in text
        assert "requested" in text
        assert "delivered to the box" in text
        assert "Accepted" in text
        assert "Charging started" in text
        assert "TEST1042" not in text, "cards are masked"
        assert (await person.get(path_of(person, box, "row-4"))).status == 200, "one without identity"
        assert (await person.get(path_of(person, box, "row-99"))).status == 404


async def test_its_timeline_is_drawn_and_told(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.SUPPORT)
        box = await box_of(console)
        await box.tell_site(charging_day(hours_ago(20)))
        page = path_of(person, box, "row-1")
        text = (await person.get(page)).text
        assert '<title id="t-title">Connection and operation, the last 24 hours</title>' in text
        assert "Charge 21 ended: the car was unplugged." in text
        assert "It stopped answering." in text
        assert "last 7 days" in (await person.get(f"{page}?window=7d")).text
        assert "last 24 hours" in (await person.get(f"{page}?window=nonsense")).text


async def test_charges_go_on_page_by_page(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.AUDITOR)
        made = MadeSite()
        made.job(row(1, "CP1", active=True))
        made.ready("CP1")
        for number in range(1, 26):
            made.tested("CP1", number)
        box = await box_of(console)
        await box.tell_site(made)
        page = path_of(person, box, "row-1")
        first = (await person.get(page)).text
        assert f'href="{page}/charges/25"' in first
        assert f'href="{page}/charges/5"' not in first
        assert f'href="{page}?before=6#h-charges"' in first
        second = (await person.get(f"{page}?before=6")).text
        assert f'href="{page}/charges/5"' in second
        assert f'href="{page}/charges/6"' not in second
        assert "?before=" not in second
        assert "No earlier charge." in (await person.get(f"{page}?before=1")).text
        assert (await person.get(f"{page}?before=x")).status == 200


async def test_an_order_goes_to_the_box_now(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.OPERATOR)
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        box.come()
        page, command = path_of(person, box, "row-3"), str(uuid.uuid4())
        fields = {"action": "reboot", "command_id": command, "confirm": "1", "kind": "hard"}
        assert (await person.post(f"{page}/actions", fields)).path == page
        cmd = box.heard[-1]
        assert isinstance(cmd, m.Cmd)
        assert (cmd.command, cmd.action, cmd.by) == (command, "reboot", "Operator")
        assert cmd.arguments["charge_point"] == "row-3"
        assert (cmd.arguments["confirm"], cmd.arguments["kind"]) == (True, "hard")
        box.code = "confirmation_needed"
        refused = await person.post(f"{page}/actions", {**fields, "command_id": str(uuid.uuid4())})
        assert refused.status == 409
        assert 'id="errors"' in refused.text
        assert (await person.post(f"{page}/actions", {**fields, "action": "explode"})).status == 400
        assert (await person.post(f"{page}/actions", {**fields, "command_id": "x"})).status == 400


async def test_an_order_while_the_box_is_away_is_refused_and_says_since_when(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member()
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        page = path_of(person, box, "row-1")
        text = (await person.get(page)).text
        assert "The box is offline since" in text
        assert '<summary class="btn">' not in text
        fields = {"action": "start", "command_id": str(uuid.uuid4())}
        refused = await person.post(f"{page}/actions", fields)
        assert refused.status == 409
        assert "nothing was sent" in refused.text
        assert "It is offline since" in refused.text
        box.come()
        assert not [heard for heard in box.heard if isinstance(heard, m.Cmd)], "and nothing was kept"


async def test_maintenance_is_set_and_ended(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        person = await console.member(Role.OPERATOR)
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        page = path_of(person, box, "row-1")
        assert "Set Bay 1 to maintenance" in (await person.get(page)).text
        set_ = await person.post(f"{page}/maintenance", {"on": "1"})
        assert set_.path == page
        assert "connected (maintenance)" in set_.text
        ended = await person.post(f"{page}/maintenance", {"on": "0"})
        assert "connected (maintenance)" not in ended.text


async def test_who_may_not_command_sees_no_button_and_is_refused(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        box = await box_of(console)
        await box.tell_site(harbour_garage())
        box.come()
        for role in (Role.SUPPORT, Role.AUDITOR):
            person = await console.member(role)
            page = path_of(person, box, "row-3")
            text = (await person.get(page)).text
            assert 'method="post"' not in text.replace('method="post" action="/sign-out"', "")
            for path in ("actions", "maintenance"):
                assert (await person.post(f"{page}/{path}", {"action": "stop", "on": "1"})).status == 403
        assert not [heard for heard in box.heard if isinstance(heard, m.Cmd)]


async def test_what_another_team_or_site_has_is_not_there(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        other = await console.member(team="Other")
        theirs, ours = await box_of(console), await box_of(console, team="Other")
        await theirs.tell_site(harbour_garage())
        for box in (theirs, ours):
            page = path_of(other, box, "row-3")
            assert (await other.get(page)).status == 404
            for path in ("actions", "maintenance"):
                assert (await other.post(f"{page}/{path}", {"action": "stop", "on": "1"})).status == 404
