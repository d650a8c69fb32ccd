"""Reads what clients send: JSON of an exact shape, and HTML forms. Refuses everything else with a described error.

Start at `read_json`. Sizes are limited by the application (`client_max_size`).
"""

import uuid
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from sitelink.errors import MediaTypeRefused, RequestInvalid
from sitelink.ids import CommandId

BODY_MAX_BYTES = 64 * 1024
FORM_FIELDS_MAX = 64
JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"

T = TypeVar("T", bound=msgspec.Struct)


async def read_json(request: web.Request, type_: type[T]) -> T:
    """The body as `type_`, strictly. Raises MediaTypeRefused, or RequestInvalid naming the key and what is wrong."""
    if request.content_type != JSON_TYPE or "Content-Type" not in request.headers:
        raise MediaTypeRefused(found=request.headers.get("Content-Type", ""), allowed=JSON_TYPE)
    body = await request.read()
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
        raise RequestInvalid(where="body", problem="not_json") from exc
    if not isinstance(raw, dict):
        raise RequestInvalid(where="body", problem="not_an_object")
    unknown = sorted(set(raw) - {field.encode_name for field in msgspec.structs.fields(type_)})
    if unknown:
        allowed = ", ".join(field.encode_name for field in msgspec.structs.fields(type_))
        raise RequestInvalid(where=", ".join(unknown)[:200], problem="unknown_key", allowed=allowed)
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as exc:
        raise _invalid(str(exc)) from exc
    except msgspec.DecodeError as exc:
        raise RequestInvalid(where="body", problem="not_json") from exc


def _invalid(message: str) -> RequestInvalid:
    """From msgspec's "Expected `int`, got `str` - at `$.connector`", which speaks of types only, never of values."""
    problem, _, path = message.partition(" - at ")
    missing = "missing required field `"
    if missing in problem:
        return RequestInvalid(where=problem.partition(missing)[2].rstrip("`"), problem="missing")
    return RequestInvalid(where=path.strip("`").removeprefix("$").removeprefix(".") or "body", problem=problem)


async def read_form(request: web.Request) -> dict[str, str]:
    """The fields of an HTML form, url-encoded or multipart without files; of a field sent twice the last counts.

    Raises MediaTypeRefused, RequestInvalid.
    """
    if request.content_type == FORM_TYPE:
        body = await request.read()
        try:
            pairs = parse_qsl(
                body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=FORM_FIELDS_MAX
            )
        except ValueError as exc:
            raise RequestInvalid(where="body", problem="not_a_form") from exc
        return dict(pairs)
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    raise MediaTypeRefused(found=request.headers.get("Content-Type", ""), allowed=FORM_TYPE)


async def _read_multipart(request: web.Request) -> dict[str, str]:
    """What a script's `fetch(url, {body: new FormData(form)})` sends."""
    try:
        fields = await request.post()
    except (ValueError, LookupError) as exc:
        raise RequestInvalid(where="body", problem="not_a_form") from exc
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    if len(texts) < len(fields):
        raise RequestInvalid(where="body", problem="file_not_taken")
    return texts


def number_in(form: dict[str, str], field: str) -> int | None:
    """A whole number somebody typed; None where the field is missing. Raises RequestInvalid."""
    text = form.get(field)
    if text is None:
        return None
    cleaned = text.strip()
    if not (cleaned.isascii() and cleaned.isdecimal() and len(cleaned) <= 9):
        raise RequestInvalid(where=field, problem="not_a_number")
    return int(cleaned)


def command_id_in(text: str) -> CommandId:
    """A UUID in its one usual form, so that upper case names the same command; anything else as it came."""
    try:
        return CommandId(str(uuid.UUID(text)))
    except ValueError:
        return CommandId(text[:64])


def new_command_id_in(text: str) -> CommandId:
    """The id a page made for a command. Raises RequestInvalid where it is no UUID."""
    try:
        return CommandId(str(uuid.UUID(text)))
    except ValueError as exc:
        raise RequestInvalid(where="command_id", problem="not_a_uuid") from exc
