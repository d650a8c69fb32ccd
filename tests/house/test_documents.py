"""Documents name what the code has: settings, commands, events, error codes, routes. And their links lead somewhere."""

import re
from pathlib import Path

import click
import pytest

from cloud_relay.config import Settings as CloudSettings
from cloud_relay.fleet.alert_records import RULES
from cloud_relay.fleet.webhook_records import KINDS, TEST
from edge_agent.config import Settings as EdgeSettings
from programs.settings import keys
from sitelink.events import KIND_BY_TYPE
from tests.house.files import ROOT, committed
from tests.house.test_words import error_codes


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


PROGRAMS = {"edge-agent": EdgeSettings, "cloud-relay": CloudSettings}


def settings_part(program: str) -> str:
    """docs/settings.md has a part for each program, the box's first."""
    box, _, cloud = document("settings.md").partition("\n## The cloud\n")
    return box if program == "edge-agent" else cloud


@pytest.mark.parametrize(("program", "key"), [(name, key) for name, of in PROGRAMS.items() for key in keys(of)])
def test_every_setting_is_documented(program, key):
    assert f"`{key}`" in settings_part(program)


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_setting_is_documented_that_does_not_exist(program):
    named = set(re.findall(r"^\| `([a-z_.]+)`", settings_part(program), re.MULTILINE))
    assert named == set(keys(PROGRAMS[program]))


def commands(group: click.Group, prefix: str) -> list[tuple[str, click.Command]]:
    found = []
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            found += commands(command, f"{prefix} {name}")
        else:
            found.append((f"{prefix} {name}", command))
    return found


def cli_commands() -> list[tuple[str, click.Command]]:
    from cloud_relay.cli import main as cloud
    from edge_agent.cli import main as edge

    return [*commands(edge, "edge-agent"), *commands(cloud, "cloud-relay")]


def test_every_command_and_option_is_documented():
    text = document("cli.md")
    missing = []
    for name, command in cli_commands():
        section = re.search(rf"^### `{re.escape(name)}\b.*?(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
        if section is None:
            missing.append(name)
            continue
        for option in command.params:
            if isinstance(option, click.Option) and option.name not in ("config", "overrides"):
                missing += [f"{name} {each}" for each in option.opts if each not in section.group()]
        assert command.help, f"{name} has no help"
    assert missing == []


@pytest.mark.parametrize("kind", sorted(KIND_BY_TYPE.values()))
def test_every_kind_of_event_is_documented(kind):
    assert f"`{kind}`" in document("events.md")


@pytest.mark.parametrize("code", sorted(error_codes()))
def test_every_error_code_is_documented(code):
    assert f"`{code}`" in document("api.md")


@pytest.mark.parametrize("kind", [*KINDS, TEST])
def test_every_event_of_webhooks_is_documented(kind):
    assert f"`{kind}`" in document("webhooks.md")


def test_every_rule_of_alerts_is_documented_with_what_is_usual():
    text = document("alerts.md")
    told = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", text, re.MULTILINE))
    usual = {
        name: "at once" if rule.after is None else f"after {rule.after} {rule.unit.value}"
        for name, rule in RULES.items()
    }
    assert told == usual


def test_every_route_of_the_api_is_documented():
    from cloud_relay.console import alerts_api, jobs_api, operator_api, webhooks_api
    from cloud_relay.links import app as boxes
    from edge_agent.pages import admin, id_tokens, station_lists, transfers_api
    from web_ui import file_pages, job_api

    text = document("api.md")
    own = (*file_pages.API_ROUTES, *admin.ROUTES, *station_lists.ROUTES, *id_tokens.ROUTES, *transfers_api.ROUTES)
    paths = {route.path for route in (*job_api.ROUTES, *own, *boxes.ROUTES, *operator_api.ROUTES, *jobs_api.ROUTES)}
    paths |= {route.path for route in (*alerts_api.ROUTES, *webhooks_api.ROUTES)}
    assert paths
    assert [path for path in sorted(paths) if f"`{path}`" not in text and f" {path}`" not in text] == []


def test_links_between_documents_lead_somewhere():
    broken = []
    for path in committed():
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
            if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_decisions_are_numbered_without_a_gap_and_have_their_parts():
    records = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text("utf-8")
        for part in ("## Context", "## Decision", "## What follows", "## What else was weighed"):
            assert part in text, f"{path.name} lacks {part}"


def test_what_a_stranger_looks_for_is_there():
    for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "NOTICE"):
        assert Path(ROOT, name).stat().st_size > 200, name


def test_every_test_the_quirks_document_names_exists():
    text = (ROOT / "docs" / "quirks.md").read_text("utf-8")
    named = re.findall(r"`((?:(?:edge_agent|sitelink|journeys|web_ui)/[\w./]+::\w+|corpus/[\w./]+))`", text)
    assert len(named) > 90
    for name in named:
        path, _, function = name.partition("::")
        file = ROOT / "tests" / path
        assert file.is_file(), name
        assert not function or re.search(rf"^(?:async )?def {function}\(", file.read_text("utf-8"), re.MULTILINE), name
