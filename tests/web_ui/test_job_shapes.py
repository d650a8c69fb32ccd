import msgspec

from tests.doubles.sites import JOB, harbour_garage
from web_ui.views import job_view


def test_the_json_has_the_keys_of_the_contract() -> None:
    site = harbour_garage()
    page = msgspec.json.decode(msgspec.json.encode(job_view(site.snapshot(), JOB, link=site.link())))
    assert {
        "number", "status", "site", "description", "instructions", "contact", "total", "connected", "relay",
        "charge_points", "seen", "meters", "pairing", "completion", "read_only", "trouble", "activate_by_default",
        "seq", "ocpp_url",
    } <= page.keys()  # fmt: skip
    assert page["site"] == {"name": "Harbour Garage", "address": "Quay Street 14, level −2"}
    first = page["charge_points"][0]
    assert {
        "id", "name", "identity", "connector", "connectors", "status", "integration_state", "state", "explanation",
        "active", "maintenance", "actions", "notes", "conflicts", "heads", "last_seen", "station", "transaction",
        "test", "commands",
    } <= first.keys()  # fmt: skip
    assert {"name", "enabled", "reason", "confirm"} <= first["actions"][0].keys()
    assert first["station"].keys() == {
        "vendor", "model", "serial", "firmware", "version", "security_profile", "encrypted",
    }  # fmt: skip
    assert first["security"].keys() >= {"profile", "password", "key", "weak", "text"}
    assert first["heads"].keys() == {"identity", "connector"}
    assert {"op", "value", "by", "at"} <= first["heads"]["identity"][0].keys()
    assert page["seen"][0].keys() >= {"identity", "vendor", "model", "serial", "ip", "reason", "at"}
    noted = page["charge_points"][2]["notes"][0]
    assert noted.keys() >= {"id", "side", "author", "text", "at", "delivery"}
