"""One charge point in full: every line of it comes from what is stored."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from sitelink import events as e
from sitelink.ids import ChargePointId, StationKey, TransactionId, station_key
from sitelink.inventory import Variable, attribute, items_of
from sitelink.model import StationReport
from sitelink.packed import pack
from sitelink.security import KeyState, StationSecurity
from sitelink.states import ConnectorStatus, ReportKind
from tests.doubles.details import IDENTITY, KEY, MadeOddities, made_details, made_station
from tests.doubles.sites import NOW, MadeSite, row
from web_ui import wording
from web_ui.details import DetailsView, details_of


def fact(view: DetailsView, label: str) -> str:
    (found,) = [each for each in view.facts if each.label == label]
    return f"{found.text}|{found.hint}|{found.tone}"


def test_who_it_is_and_how_it_is_connected() -> None:
    view = made_details()
    assert (view.title, view.identity, view.row) == ("Bay 3", IDENTITY, "row-3")
    assert fact(view, "Model") == "DC50 Twin||"
    assert fact(view, "OCPP version") == "2.0.1|agreed as ocpp2.0.1|"
    assert fact(view, "Messages about charges").startswith("2 missing|")
    assert fact(view, "Clock") == "Its clock is 1 h 2 min behind.||warn"
    first = next(each for each in view.facts if each.label == "First contact")
    assert first.at is not None
    assert first.at < NOW


@pytest.mark.parametrize(
    ("profile", "encrypted", "words", "tone"),
    [
        (0, False, "Anybody on this network could pass", "warn"), (0, True, "Encrypted, without a password", "warn"),
        (1, False, "not encrypted", "warn"), (2, True, "With a password, encrypted.", ""), (3, True, "certificate", ""),
    ],
)  # fmt: skip
def test_the_security_profile_is_told_plainly(profile: int, encrypted: bool, words: str, tone: str) -> None:
    site = made_station()
    site.state.stations[KEY] = replace(site.state.stations[KEY], profile=profile, encrypted=encrypted)
    text, hint, found = fact(made_details(site), "Security").split("|")
    assert (text, found) == (f"profile {profile}", tone)
    assert words in hint


def test_what_became_of_its_password_is_told() -> None:
    site = made_station()
    site.state.security[KEY] = StationSecurity(id=KEY, profile=2, key_state=KeyState.UNCERTAIN)
    view = made_details(site)
    assert fact(view, "Held to").startswith("profile 2|")
    assert "both are accepted" in fact(view, "Password")


@pytest.mark.parametrize("state", KeyState)
def test_every_fate_of_a_password_has_words(state: KeyState) -> None:
    site = made_station()
    site.state.security[KEY] = StationSecurity(id=KEY, key_state=state)
    assert fact(made_details(site), "Password")


def test_both_sides_of_the_status() -> None:
    (axis,) = made_details().axes
    assert (axis.status, axis.connection, axis.operation) == ("connected (busy-charging)", "connected", "busy-charging")
    assert (axis.connection_text, axis.operation_text) == ("Connected to the box, and sending.", "A car is charging.")


def test_connectors_with_their_plugs_and_faults() -> None:
    first, second = made_details().places
    assert (first.label, first.status, [plug.status for plug in first.plugs]) == (
        "EVSE 1", "Charging", ["Charging", "Available"],
    )  # fmt: skip
    assert (second.label, second.trouble) == ("EVSE 2", "Earth fault reported. (E-017)")


def test_in_1_6_they_are_called_connectors() -> None:
    site = MadeSite()
    site.job(row(3, "CP1"))
    site.boot("CP1")
    site.connector("CP1", ConnectorStatus.AVAILABLE, 0)
    site.connector("CP1", ConnectorStatus.SUSPENDED_EV, 1)
    site.state.stations[StationKey("cp1")] = replace(site.state.stations[StationKey("cp1")], version="1.6")
    view = details_of(site.snapshot(), MadeOddities(), StationKey("cp1"), on={"": "x"})
    assert [(each.label, each.text) for each in view.places] == [
        ("The charge point as a whole", "Free."), ("Connector 1", "The car takes no power at present."),
    ]  # fmt: skip


def test_charges_running_first_with_what_is_not_complete() -> None:
    running, ended = made_details().charges
    assert (running.id, running.running, running.energy_wh, running.state_text) == (12, True, 420.0, "Running.")
    assert (ended.name, ended.reason, ended.energy_wh) == (
        "5f0c2a7e-2b7a-4a53-9d3e-1f6f2f0a7c11", "the car was unplugged", 420.0,
    )  # fmt: skip
    assert ended.oddities == ("2 messages about it missing",)


def test_a_charge_nobody_was_let_in_for_says_so() -> None:
    site = made_station()
    charge = site.state.transactions[TransactionId(12)]
    site.state.transactions[charge.id] = replace(charge, id_token=None)
    assert made_details(site).charges[0].state_text == "Car plugged in, waiting to be let in."


def test_settings_by_name_and_nothing_read_back_that_is_secret() -> None:
    settings = {each.key: each.value for each in made_details().settings.settings}
    assert settings["SecurityCtrlr.BasicAuthPassword"] is None
    assert list(settings) == sorted(settings)


def test_one_in_the_waiting_room_says_what_it_said_of_itself() -> None:
    site = MadeSite()
    site.job(row(1, "ZPR104221"))
    site.record(
        "knock:STRANGER",
        e.Knocked(
            identity="STRANGER", ip="192.0.2.44", reason="unknown_identity", vendor="Acme", model="AC22",
            firmware="2.1", version="2.1",
        ),
    )  # fmt: skip
    view = details_of(site.snapshot(), MadeOddities(), station_key("STRANGER"), on={"": "x"})
    said = {each.label: each.text for each in view.calling}
    assert (view.title, view.facts, view.axes) == ("STRANGER", (), ())
    assert (said["Vendor"], said["Firmware"], said["OCPP version"], said["Address"]) == (
        "Acme", "2.1", "2.1", "192.0.2.44",
    )  # fmt: skip
    assert "Calling, but not in this job." in said["Why it is not served"]


def test_a_row_without_an_identity_has_nothing_to_tell() -> None:
    site = MadeSite()
    site.job(row(4))
    bay = site.state.charge_points[ChargePointId("row-4")]
    view = details_of(site.snapshot(), MadeOddities(), bay.station, row=bay, on={"": "cp:row-4"})
    assert (view.title, view.facts, view.places, view.charges) == ("Bay 4", (), (), ())
    assert view.axes[0].status == "No serial"
    assert view.now - NOW == timedelta(0)


def test_an_inventory_is_shown_by_component_with_units_and_without_secrets() -> None:
    site = made_station()
    heartbeat = Variable(
        name="HeartbeatInterval", component="OCPPCommCtrlr", unit="s", attributes={"Actual": attribute("x", "300")}
    )
    password = Variable(
        name="BasicAuthPassword",
        component="SecurityCtrlr",
        attributes={"Actual": attribute("BasicAuthPassword", "canary")},
    )
    power = Variable(name="Power", component="EVSE", evse=2, attributes={"Actual": attribute("x", "50000")})
    site.state.put(
        StationReport(
            station=KEY, kind=ReportKind.INVENTORY, at=NOW, packed=pack(items_of([heartbeat, password, power])),
            count=3, missing=1,
        )
    )  # fmt: skip
    told = made_details(site).settings
    assert [(each.key, each.value, each.secret) for each in told.settings] == [
        ("EVSE EVSE 2 · Power", "50000", False), ("OCPPCommCtrlr · HeartbeatInterval", "300 s", False),
        ("SecurityCtrlr · BasicAuthPassword", None, True),
    ]  # fmt: skip
    assert (told.at, told.missing) == (NOW, 1)


def test_what_a_station_reports_of_its_security_is_told_in_words() -> None:
    site = made_station()
    entry = {"at": NOW, "kind": "station_event", "by": "station", "detail": {"type": "FirmwareUpdated", "count": 1}}
    view = details_of(site.snapshot(), MadeOddities(), KEY, on={"": "x"}, security_log=[entry])
    assert [(each.text, each.detail) for each in view.security_log] == [("Its firmware was updated.", "")]


def test_what_never_comes_any_more_is_told() -> None:
    site = made_station()
    charge = site.state.transactions[TransactionId(11)]
    site.state.transactions[charge.id] = replace(charge, incomplete=True)
    view = made_details(site)
    assert view.charges[1].oddities == ("2 messages about it missing, and it has none left",)
    assert "Messages about charges" not in {each.label for each in view.facts}


def test_the_security_log_reads_as_sentences() -> None:
    proven, wrong = made_details().security_log
    assert proven.text == "It connected with its new password."
    assert wrong.text.startswith(wording.sentence("wrong_key"))
    assert (wrong.detail, wrong.count) == ("ip 192.0.2.31", 3)
