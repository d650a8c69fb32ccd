"""Tests mirror the code, and nothing that belongs to one machine is committed."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.files import ROOT, committed, committed_texts, modules, tree

WITHOUT_TESTS_OF_THEIR_OWN = {
    "cloud_relay/__main__.py": "calls the command line",
    "cloud_relay/config.py": "values without behaviour; test_documents.py goes through them",
    "cloud_relay/console/app.py": "lists of routes; tests/house and test_compose.py go through them",
    "cloud_relay/fleet/acts.py": "types without behaviour",
    "cloud_relay/fleet/alert_ports.py": "protocols",
    "cloud_relay/fleet/webhook_ports.py": "protocols",
    "cloud_relay/fleet/log_ports.py": "protocols",
    "cloud_relay/fleet/alert_records.py": "types without behaviour",
    "cloud_relay/fleet/webhook_records.py": "types without behaviour",
    "cloud_relay/fleet/log_records.py": "types without behaviour",
    "cloud_relay/fleet/ports.py": "protocols",
    "cloud_relay/fleet/records.py": "types without behaviour",
    "cloud_relay/fleet/roles.py": "an enumeration",
    "cloud_relay/store/alert_tables.py": "tables; test_migrate.py holds them to the steps",
    "cloud_relay/store/webhook_tables.py": "tables; test_migrate.py holds them to the steps",
    "cloud_relay/store/log_tables.py": "tables; test_migrate.py holds them to the steps",
    "cloud_relay/store/schema.py": "tables; test_migrate.py holds them to the steps",
    "cloud_relay/store/tables.py": "names of other modules",
    "cloud_relay/store/migrations/env.py": "run by every test of the store",
    "cloud_relay/store/migrations/versions/0001_first.py": "test_migrate.py",
    "cloud_relay/store/migrations/versions/0002_webhooks.py": "test_migrate.py",
    "cloud_relay/store/migrations/versions/0003_alerts.py": "test_migrate.py",
    "cloud_relay/store/migrations/versions/0004_announced.py": "test_migrate.py",
    "cloud_relay/store/migrations/versions/0005_kept_answers.py": "test_migrate.py",
    "cloud_relay/store/migrations/versions/0006_given_up.py": "test_migrate.py",
    "cloud_relay/store/migrations/versions/0007_kept_places.py": "test_migrate.py",
    "sitelink/wire/effects.py": "types without behaviour",
    "sitelink/clock.py": "a protocol",
    "sitelink/commands.py": "types without behaviour",
    "sitelink/decisions.py": "types without behaviour",
    "sitelink/errors.py": "codes; tests/house/test_words.py",
    "sitelink/events.py": "types; every kind is encoded, decoded and folded in test_ops.py and test_apply.py",
    "sitelink/folding/changes.py": "types without behaviour",
    "sitelink/states.py": "enumerations; test_status.py goes through them",
    "edge_agent/__main__.py": "calls the command line",
    "edge_agent/charge_points/settings.py": "values without behaviour",
    "edge_agent/files/settings.py": "values without behaviour",
    "edge_agent/site/ports.py": "protocols",
    "edge_agent/site/reports.py": "types without behaviour",
    "edge_agent/pages/ports.py": "protocols",
    "web_ui/ports.py": "protocols",
}


def mirrored(module: Path) -> Path:
    return Path("tests", module.parent, f"test_{module.name}")


@pytest.mark.parametrize("module", [str(each) for each in modules() if each.name != "__init__.py"])
def test_a_module_has_its_tests_at_the_mirrored_path(module):
    has_tests = (ROOT / mirrored(Path(module))).exists()
    assert has_tests != (module in WITHOUT_TESTS_OF_THEIR_OWN), mirrored(Path(module))


def test_the_exceptions_exist_and_say_why():
    known = {str(each) for each in modules()}
    for module, reason in WITHOUT_TESTS_OF_THEIR_OWN.items():
        assert module in known, "a renamed or removed module"
        assert reason


def test_packages_hold_no_code_in_their_init():
    for module in modules():
        if module.name == "__init__.py":
            statements = [each for each in tree(module).body if not isinstance(each, ast.Expr)]
            assert statements == [], module


@pytest.mark.parametrize("module", [str(each) for each in modules() if each.name != "__init__.py"])
def test_a_module_says_what_it_is_for(module):
    first = (ROOT / module).read_text("utf-8").lstrip()
    assert first.startswith(('"""', 'r"""')), "a module begins with what it is for"


FORBIDDEN = {
    # Written so that this file does not hold what it looks for.
    "a home folder": re.compile(r"/(?:root|home/\w+)/"),
    "a folder of one machine": re.compile(r"/(?:work|workspace|builds|Users)/\w+"),
    "a temporary folder": re.compile(r"[\"'\s=(]/tmp/"),
    "a registry's host": re.compile(r"\b(?:files\.python" + r"hosted|py" + r"pi|registry\.npm" + r"js)\.org\b"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_of_one_machine_is_committed(what):
    found = [
        f"{path.relative_to(ROOT)}: {hit.group()!r}"
        for path, text in committed_texts()
        if path.name != ".gitignore" and path != Path(__file__)
        for hit in FORBIDDEN[what].finditer(text)
    ]
    assert found == []


def test_the_patterns_find_what_they_are_for():
    samples = {
        "a home folder": "open('/root/x')",
        "a folder of one machine": "cd /workspace/gatepost",
        "a temporary folder": "open('/tmp/x')",
        "a registry's host": "https://py" + "pi.org/simple",
    }
    for what, pattern in FORBIDDEN.items():
        assert pattern.search(samples[what])


def test_lock_files_hold_hashes_and_no_address():
    locks = [path for path in committed() if path.parent == ROOT / "requirements"]
    assert {path.name for path in locks} >= {"edge.txt", "dev.txt"}
    for path in locks:
        text = path.read_text("utf-8")
        assert "://" not in text
        pinned = re.findall(r"^[A-Za-z0-9._-]+(?:\[[^\]]+\])?==[^\s]+.*$", text, re.MULTILINE)
        assert pinned
        assert all(line.endswith("\\") for line in pinned), "each pin is followed by its hashes"
        assert text.count("--hash=sha256:") >= len(pinned)


def test_files_that_name_addresses_of_packages_are_not_committed():
    names = {path.name for path in committed()}
    assert not names & {"uv.lock", "pylock.toml", "package-lock.json", "poetry.lock"}


def test_scripts_can_be_run():
    for name in ("check", "demo", ".ci/run", "scripts/lock"):
        path = ROOT / name
        assert path.stat().st_mode & 0o111, name
        assert path.read_text("utf-8").startswith("#!/bin/bash"), name


def test_ci_does_nothing_but_check():
    lines = (ROOT / ".ci/run").read_text("utf-8").splitlines()
    code = [line for line in lines if line and not line.startswith("#")]
    assert len(code) == 1
    assert re.fullmatch(r'exec "?.*check"?', code[0])
