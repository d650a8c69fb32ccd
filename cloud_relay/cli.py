"""The command line of the cloud. Answers are one JSON object on standard output; errors one sentence and exit code 1.

Commands open the database themselves and may run beside a server. Start at `main`.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from cloud_relay import compose
from cloud_relay.config import Settings
from cloud_relay.console import passwords
from cloud_relay.fleet.acts import COMMAND_LINE, Act
from cloud_relay.fleet.ids import new_id
from cloud_relay.fleet.invitations import new_way_in
from cloud_relay.fleet.permissions import RIGHTS
from cloud_relay.fleet.ports import Books
from cloud_relay.fleet.registration import begin_epoch
from cloud_relay.fleet.roles import Role
from cloud_relay.fleet.second_factor import turn_off
from cloud_relay.fleet.sites import add_gateway, add_site, find_site
from cloud_relay.fleet.teams import add_team, add_user, find_team, new_api_token, set_member, set_password
from cloud_relay.store.database import StoreCannotOpen
from cloud_relay.store.store import Store, open_store
from programs import logs
from programs.clock import SystemClock
from programs.settings import SettingsInvalid, load
from sitelink.errors import NotFound, SiteError
from web_ui.wording import sentence, step_for_program

F = TypeVar("F", bound=Callable[..., Any])


def with_settings(command: F) -> F:
    """`--config FILE` and `--set key=value`, on every command."""
    command = click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one setting.")(
        command
    )
    file = click.Path(dir_okay=False, path_type=Path)
    return click.option("--config", "config", type=file, help="TOML file with settings.")(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gatepost")
def main() -> None:
    """Gatepost in the cloud: what operators see of their sites, and the boxes that report."""


@main.command()
@with_settings
def run(config: Path | None, overrides: tuple[str, ...]) -> None:
    """Serve boxes and operators until stopped."""
    settings = _settings(config, overrides)
    logs.configure(settings.log.level)
    try:
        compose.run(settings)
    except (StoreCannotOpen, compose.CannotStart) as error:
        raise click.ClickException(str(error)) from error


@main.group()
def team() -> None:
    """Teams."""


@team.command("add")
@click.option("--name", required=True)
@with_settings
def team_add(name: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """A new team."""
    _print(_write(config, overrides, lambda books, act: {"team": add_team(books, act, name).id}))


@main.group()
def user() -> None:
    """People."""


@user.command("add")
@click.option("--team", "team_name", required=True, help="Id or name.")
@click.option("--email", required=True)
@click.option("--name", default="")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.ADMIN.value, show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read their password from standard input, one line.")
@with_settings
def user_add(
    team_name: str, email: str, name: str, role: str, password_stdin: bool, config: Path | None,
    overrides: tuple[str, ...],
) -> None:  # fmt: skip
    """Let somebody into a team."""
    kept = _password_of_stdin() if password_stdin else None

    def work(books: Books, act: Act) -> dict[str, str]:
        found, person = find_team(books, team_name), add_user(books, act, email, name)
        if kept is not None:
            set_password(books, act, person, kept)
        set_member(books, act, found, person, Role(role))
        return {"user": person.id, "team": found.id, "role": role}

    _print(_write(config, overrides, work))


@user.command("link")
@click.option("--email", required=True)
@with_settings
def user_link(email: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """A link with which somebody sets a new password, once and within an hour."""
    settings = _settings(config, overrides)
    base = settings.http.public_url.rstrip("/") or f"http://127.0.0.1:{settings.http.port}"

    def work(books: Books, act: Act) -> dict[str, str]:
        person = books.accounts.user_with_email(email)
        if person is None:
            raise NotFound(what="user", key=email)
        return {"link": f"{base}/new-password?token={new_way_in(books, act, person)}"}

    _print(_write(config, overrides, work))


@user.command("drop-second-factor")
@click.option("--email", required=True)
@with_settings
def user_drop_second_factor(email: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Let somebody in without a second factor who has lost it, recovery codes and all. Ask who they are first."""

    def work(books: Books, act: Act) -> dict[str, str]:
        person = books.accounts.user_with_email(email)
        if person is None:
            raise NotFound(what="user", key=email)
        turn_off(books, act, person)
        return {"user": person.id}

    _print(_write(config, overrides, work))


@main.group()
def gateway() -> None:
    """Boxes."""


@gateway.command("enrol")
@click.option("--team", "team_name", required=True, help="Id or name.")
@click.option("--site", required=True, help="Id or name; made where there is none of that name.")
@click.option("--name", required=True)
@with_settings
def gateway_enrol(team_name: str, site: str, name: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Expect a box at a site; prints the claim that goes to the box as relay.claim. It is shown only here."""

    def work(books: Books, act: Act) -> dict[str, str]:
        found = find_team(books, team_name)
        try:
            place = find_site(books, found.id, site)
        except NotFound:
            place = add_site(books, act, found.id, site)
        made, claim = add_gateway(books, act, place, name)
        return {"gateway": made.id, "site": place.id, "claim": claim}

    _print(_write(config, overrides, work))


@main.group()
def token() -> None:
    """Tokens for programs."""


@token.command("new")
@click.option("--team", "team_name", required=True, help="Id or name.")
@click.option("--name", required=True)
@click.option("--scope", "scopes", multiple=True, type=click.Choice(RIGHTS), help="Only this; all without.")
@with_settings
def token_new(
    team_name: str, name: str, scopes: tuple[str, ...], config: Path | None, overrides: tuple[str, ...]
) -> None:
    """A token for the operator API. It is shown only here."""

    def work(books: Books, act: Act) -> dict[str, str]:
        made, shown = new_api_token(books, act, find_team(books, team_name), name, scopes or RIGHTS)
        return {"token": shown, "id": made.id}

    _print(_write(config, overrides, work))


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_settings
def backup(file: Path, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Copy everything into FILE, beside a running server too."""
    with _store(config, overrides) as store:
        _print({"file": str(file), "rows": store.backup(file)})


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_settings
def restore(file: Path, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Fill an empty database from FILE. Every box then offers again what it still has."""
    with _store(config, overrides) as store:
        rows = store.restore(file)
        store.write_now(lambda books: begin_epoch(books, new_id()))
        _print({"file": str(file), "rows": rows})


def _settings(config: Path | None, overrides: tuple[str, ...]) -> Settings:
    try:
        return load(Settings, config, overrides)
    except SettingsInvalid as error:
        raise click.ClickException(str(error)) from error


def _write(
    config: Path | None, overrides: tuple[str, ...], work: Callable[[Books, Act], dict[str, str]]
) -> dict[str, str]:
    with _store(config, overrides) as store:
        act = Act(COMMAND_LINE, SystemClock().now())
        return store.write_now(lambda books: work(books, act))


def _password_of_stdin() -> str:
    try:
        return passwords.hash_now(sys.stdin.readline().rstrip("\r\n"))
    except SiteError as error:
        raise _failed(error) from error


def _failed(error: SiteError) -> click.ClickException:
    step = step_for_program(error.code, error.fields)
    return click.ClickException(f"{sentence(error.code, error.fields)} {step or ''}".strip())


@contextmanager
def _store(config: Path | None, overrides: tuple[str, ...]) -> Iterator[Store]:
    settings = _settings(config, overrides)
    logs.configure("error")
    try:
        with open_store(settings.database.url, settings.data_dir, settings.database.connections) as store:
            yield store
    except StoreCannotOpen as error:
        raise click.ClickException(str(error)) from error
    except SiteError as error:
        raise _failed(error) from error


def _print(answer: Any) -> None:
    click.echo(msgspec.json.encode(answer).decode())
