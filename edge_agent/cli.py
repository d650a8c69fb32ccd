"""The command line of the box. Answers are one JSON object on standard output; errors one sentence and exit code 1.

Start at `main`. Beside a running agent every command goes through its control socket; without one the command opens
the store itself.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from edge_agent import compose, control
from edge_agent.config import Settings
from edge_agent.store.database import DATABASE, StoreCannotOpen
from programs import logs
from programs.settings import SettingsInvalid, load
from sitelink.errors import SiteError
from web_ui.wording import sentence, step_for_program

F = TypeVar("F", bound=Callable[..., Any])


def with_settings(command: F) -> F:
    """`--config FILE` and `--set key=value`, on every command."""
    command = click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one setting.")(
        command
    )
    file = click.Path(dir_okay=False, path_type=Path)
    return click.option("--config", "config", type=file, help="TOML file with settings.")(command)


def settings_of(config: Path | None, overrides: tuple[str, ...]) -> Settings:
    try:
        return load(Settings, config, overrides)
    except SettingsInvalid as error:
        raise click.ClickException(str(error)) from error


class _Commands(click.Group):
    """`meters` is loaded when it is asked for: a box without meters does not pay for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "meters"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "meters":
            return super().get_command(ctx, cmd_name)
        from edge_agent.meters.commands import meters

        meters.add_command(read)
        return meters


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gatepost")
def main() -> None:
    """Gatepost on the box: the site's central system, its installer page, its jobs."""


@main.command()
@with_settings
def run(config: Path | None, overrides: tuple[str, ...]) -> None:
    """Serve charge points and the installer page until stopped."""
    settings = settings_of(config, overrides)
    logs.configure(settings.log.level)
    try:
        compose.run(settings)
    except (StoreCannotOpen, compose.CannotStart) as error:
        raise click.ClickException(str(error)) from error


@main.group()
def job() -> None:
    """Jobs on this box."""


@job.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Lay a job with a known number anew; rows of the same name keep notes.")
@with_settings
def import_(file: Path, replace: bool, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Take a job file in; prints the job with its installer link. The token is shown only here."""
    try:
        data = msgspec.json.decode(file.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise click.ClickException(f"{file}: not JSON in UTF-8: {error}") from error
    _print(_operate(settings_of(config, overrides), "job.import", {"file": data, "replace": replace}))


@job.command("list")
@with_settings
def list_(config: Path | None, overrides: tuple[str, ...]) -> None:
    """All jobs, newest first."""
    _print(_operate(settings_of(config, overrides), "job.list", {}))


@job.command()
@click.argument("job")
@with_settings
def export(job: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """The commissioning record of JOB (id or number)."""
    _print(_operate(settings_of(config, overrides), "job.export", {"job": job}))


@job.command()
@click.argument("job")
@click.option("--instead", is_flag=True, help="End the links JOB had; open pages lose them within seconds.")
@with_settings
def link(job: str, instead: bool, config: Path | None, overrides: tuple[str, ...]) -> None:
    """A new installer link to JOB (id or number). Older links stay valid without --instead."""
    _print(_operate(settings_of(config, overrides), "job.link", {"job": job, "instead": instead}))


@job.command()
@click.argument("job")
@click.option("--charge-point", help="Only this one, by name or identity.")
@click.option("--off", is_flag=True, help="Deactivate instead.")
@with_settings
def activate(job: str, charge_point: str | None, off: bool, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Make the charge points of JOB available for drivers."""
    arguments = {"job": job, "charge_point": charge_point, "active": not off}
    _print(_operate(settings_of(config, overrides), "job.activate", arguments))


@job.command()
@click.argument("job")
@with_settings
def reopen(job: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Open a completed or archived JOB again."""
    _print(_operate(settings_of(config, overrides), "job.reopen", {"job": job}))


@job.command()
@click.argument("job")
@with_settings
def archive(job: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Archive JOB: its links end, its charge points stay served."""
    _print(_operate(settings_of(config, overrides), "job.archive", {"job": job}))


@job.command()
@click.argument("job")
@click.argument("charge_point")
@click.argument("text")
@click.option("--name", help="Who writes.")
@with_settings
def note(
    job: str, charge_point: str, text: str, name: str | None, config: Path | None, overrides: tuple[str, ...]
) -> None:
    """Write an operator note on CHARGE_POINT (name or identity) of JOB."""
    arguments = {"job": job, "charge_point": charge_point, "text": text, "name": name}
    _print(_operate(settings_of(config, overrides), "job.note", arguments))


@main.group("id-token")
def id_token() -> None:
    """Drivers' id tokens: the site's list of who may charge."""


@id_token.command("list")
@with_settings
def list_tokens(config: Path | None, overrides: tuple[str, ...]) -> None:
    """All tokens on the list, in full."""
    _print(_operate(settings_of(config, overrides), "id_token.list", {}))


@id_token.command("put")
@click.argument("token")
@click.option("--status", default="Accepted", help="Accepted, Blocked, Expired, Invalid, …")
@click.option("--type", "kind", help="Of OCPP 2.x: ISO14443, eMAID, KeyCode, …")
@click.option("--expires", help="ISO 8601, as 2027-03-31T00:00:00Z.")
@click.option("--parent", help="The group's token: whoever shares it may end each other's charges.")
@click.option("--charge-point", "charge_points", multiple=True, help="Only at this identity; more than once for more.")
@click.option("--note", default="", help="Whose it is, for the operator.")
@with_settings
def put_token(
    token: str, status: str, kind: str | None, expires: str | None, parent: str | None,
    charge_points: tuple[str, ...], note: str, config: Path | None, overrides: tuple[str, ...],
) -> None:  # fmt: skip
    """List TOKEN, in place of what was listed of it."""
    arguments = {
        "token": token, "status": status, "type": kind, "expires": expires, "parent": parent,
        "charge_points": list(charge_points), "note": note,
    }  # fmt: skip
    _print(_operate(settings_of(config, overrides), "id_token.put", arguments))


@id_token.command("remove")
@click.argument("token")
@with_settings
def remove_token(token: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Take TOKEN off the list."""
    _print(_operate(settings_of(config, overrides), "id_token.remove", {"token": token}))


@id_token.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Take off the list what the file does not name.")
@with_settings
def import_tokens(file: Path, replace: bool, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Take in the CSV table FILE, whole or not at all."""
    try:
        table = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise click.ClickException(f"{file}: line {line} is not UTF-8") from error
    _print(_operate(settings_of(config, overrides), "id_token.import", {"table": table, "replace": replace}))


@id_token.command("export")
@with_settings
def export_tokens(config: Path | None, overrides: tuple[str, ...]) -> None:
    """All tokens on the list as a CSV table."""
    sys.stdout.write(_operate(settings_of(config, overrides), "id_token.export", {})["table"])


@main.group()
def token() -> None:
    """Tokens of the box's own API."""


@token.command()
@click.option("--name", required=True, help="Whose token it is, for the record.")
@with_settings
def new(name: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Make an admin token. It is shown only here."""
    _print(_operate(settings_of(config, overrides), "token.new", {"name": name}))


@token.command("list")
@with_settings
def list_admin_tokens(config: Path | None, overrides: tuple[str, ...]) -> None:
    """Whose admin tokens there are, and which were revoked. No token is shown."""
    _print(_operate(settings_of(config, overrides), "token.list", {}))


@token.command()
@click.argument("token")
@with_settings
def revoke(token: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """End admin TOKEN, named by its id or by the name it was made under (then all of that name)."""
    _print(_operate(settings_of(config, overrides), "token.revoke", {"token": token}))


@main.group("firmware")
def firmware_() -> None:
    """Firmware images on this box, to be installed on charge points."""


@firmware_.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--version", "version_", help="What a charge point will report once it runs it.")
@click.option("--signature", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File, base64.")
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File, PEM.")
@with_settings
def firmware_add(
    file: Path, version_: str | None, signature: Path | None, certificate: Path | None, config: Path | None,
    overrides: tuple[str, ...],
) -> None:  # fmt: skip
    """Keep a copy of the image FILE; with its signature and certificate the update will be signed."""
    arguments = {
        "file": str(file.absolute()), "version": version_, "signature": _text_of(signature),
        "certificate": _text_of(certificate),
    }  # fmt: skip
    _print(_operate(settings_of(config, overrides), "firmware.add", arguments, control.LONGEST_S))


@firmware_.command("list")
@with_settings
def firmware_list(config: Path | None, overrides: tuple[str, ...]) -> None:
    """All images, newest first."""
    _print(_operate(settings_of(config, overrides), "firmware.list", {}))


@firmware_.command("remove")
@click.argument("image")
@with_settings
def firmware_remove(image: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Remove IMAGE, by its id."""
    _print(_operate(settings_of(config, overrides), "firmware.remove", {"image": image}))


@main.group()
def relay() -> None:
    """The link to the cloud."""


@relay.command()
@with_settings
def status(config: Path | None, overrides: tuple[str, ...]) -> None:
    """How it stands: site, code to type in the console, what waits, how long the storage lasts."""
    _print(_operate_on_a_box(settings_of(config, overrides), "relay.status", {}))


@relay.command()
@click.argument("claim")
@with_settings
def enrol(claim: str, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Hand CLAIM to the running agent: the box becomes a gateway of its site."""
    _print(_operate_on_a_box(settings_of(config, overrides), "relay.enrol", {"claim": claim}))


@relay.command()
@click.option("--yes", is_flag=True, help="Also where changes were not sent yet.")
@with_settings
def leave(yes: bool, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Forget the cloud. What is on the box stays there; another cloud would get all of it."""
    _print(_operate_on_a_box(settings_of(config, overrides), "relay.leave", {"confirm": yes}))


def _text_of(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: cannot be read as text: {error}") from error


@click.command()
@with_settings
def read(config: Path | None, overrides: tuple[str, ...]) -> None:
    """What the meters and charge points of this box measure, as the running agent knows it."""
    _print(_operate_on_a_box(settings_of(config, overrides), "measured", {}))


@main.command()
@click.option("--acknowledge-salvage", is_flag=True, help="You know that a damaged database was set aside.")
@with_settings
def doctor(acknowledge_salvage: bool, config: Path | None, overrides: tuple[str, ...]) -> None:
    """How the box is."""
    arguments = {"acknowledge_salvage": acknowledge_salvage}
    _print(_operate_on_a_box(settings_of(config, overrides), "doctor", arguments))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@with_settings
def backup(file: Path, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Copy everything the box knows into the new FILE, while it works."""
    arguments = {"file": str(file.absolute())}
    _print(_operate_on_a_box(settings_of(config, overrides), "backup", arguments, control.LONGEST_S))


def _operate_on_a_box(
    settings: Settings, operation: str, arguments: dict[str, Any], within_s: float = control.ANSWER_WITHIN_S
) -> Any:
    """As `_operate`, where a new empty box would be no answer."""
    if not (settings.data_dir / DATABASE).exists():
        problem = "no box has worked here. Name its folder with --set data_dir=FOLDER or --config FILE."
        raise click.ClickException(f"{settings.data_dir}: {problem}")
    return _operate(settings, operation, arguments, within_s)


def _operate(
    settings: Settings, operation: str, arguments: dict[str, Any], within_s: float = control.ANSWER_WITHIN_S
) -> Any:
    """Through the running agent, else with the store opened here."""
    logs.configure("warning")
    try:
        return asyncio.run(_through_agent_or_alone(settings, operation, arguments, within_s))
    except control.Refused as refusal:
        raise click.ClickException(worded(refusal.code, dict(refusal.fields))) from refusal
    except SiteError as error:
        raise click.ClickException(worded(error.code, error.fields)) from error
    except StoreCannotOpen as error:
        raise click.ClickException(str(error)) from error


async def _through_agent_or_alone(
    settings: Settings, operation: str, arguments: dict[str, Any], within_s: float
) -> Any:
    try:
        return await control.ask(settings.data_dir, operation, arguments, within_s)
    except control.NotRunning:
        async with compose.alone(settings) as operations:
            return await operations.run(operation, arguments)


SAID_HERE = {
    "not_found.admin_token": "No admin token of that id or name is in use. `edge-agent token list` shows them.",
    "not_found.charge_point": "There is no charge point “{key}” in this job. `edge-agent job export JOB` shows all.",
    "not_found.firmware": "There is no firmware image “{key}” on this box. `edge-agent firmware list` shows all.",
    "not_found.id_token": "That id token is not on the list. `edge-agent id-token list` shows all.",
    "not_found": "There is no {what} “{key}” on this box. `edge-agent job list` shows what there is.",
    "job_exists": "Job {number} is on this box already. Say --replace to lay it anew.",
    "no_answer_from_agent": "The running agent did not answer. Look at its log, then try again.",
    "internal_error": "The running agent could not do this. Its log says why.",
}
"""What is said otherwise on a command line than on a page; a code may have variants by what is not found."""


def worded(code: str, fields: dict[str, Any]) -> str:
    """One sentence and the next step."""
    if code == "id_token_list_invalid":
        lines = "; ".join(_line(each) for each in fields.get("lines", []))
        return f"{sentence(code, fields)} {lines}"
    what = str(fields.get("what", "thing"))
    here = SAID_HERE.get(f"{code}.{what}") or SAID_HERE.get(code)
    if here is not None:
        return here.format_map({"key": "", "number": "", **fields, "what": what.replace("_", " ")})
    return " ".join(part for part in (sentence(code, fields), step_for_program(code, fields)) if part)


def _line(wrong: dict[str, Any]) -> str:
    allowed = f" (allowed: {wrong['allowed']})" if "allowed" in wrong else ""
    return f"line {wrong.get('line')}: {wrong.get('where')}: {str(wrong.get('problem')).replace('_', ' ')}{allowed}"


def _print(result: Any) -> None:
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
