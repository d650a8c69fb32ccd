"""`/openapi.json`: OpenAPI 3.1 from the route table and the msgspec types of bodies and answers.

Pure. Start at `document`. Source: OpenAPI 3.1.0; msgspec writes JSON Schema 2020-12, which 3.1 takes as it is.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sitelink.errors import (
    ForgeryRefused,
    KeyBusy,
    KeyReused,
    LinkEnded,
    LinkReadOnly,
    LinkUnknown,
    MediaTypeRefused,
    RequestInvalid,
    ScopeMissing,
    SignInNeeded,
    SiteError,
    TooLarge,
    TooMany,
)
from web_ui.routes import Route

REF = "#/components/schemas/{name}"
_QUERY_TYPES = {"limit": "integer", "replace": "boolean"}
_PARAMETER = re.compile(r"\{(\w+)\}")
_SECURITY: Mapping[str, list[dict[str, list[str]]]] = {
    "link": [{"linkToken": []}, {"sessionCookie": []}],
    "admin": [{"adminToken": []}],
    "team": [{"teamToken": []}],
    "": [],
}
_KEY: dict[str, Any] = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "The same key and request are carried out once; the first answer comes again for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}  # fmt: skip
_RATE: Mapping[str, str] = {
    "RateLimit-Limit": "Requests that a token may send in a minute.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "Seconds until all of them are there again.",
}
_ALWAYS: Mapping[str, tuple[type[SiteError], ...]] = {
    "link": (SignInNeeded, LinkUnknown, LinkEnded, TooMany),
    "admin": (SignInNeeded, TooMany),
    "team": (SignInNeeded, ScopeMissing, TooMany),
    "": (),
}
_BY_WRITING = (ForgeryRefused, LinkReadOnly)
_BY_BODY = (RequestInvalid, TooLarge, MediaTypeRefused)


class Error(msgspec.Struct):
    """Every error has this form; some carry more fields. `code` is stable, `message` is for people."""

    code: str
    message: str
    next_step: str


def document(routes: Iterable[Route], *, title: str, version: str, cookie: str) -> dict[str, Any]:
    """The whole document as plain data."""
    chosen = list(routes)
    types = [type_ for route in chosen for type_ in (route.body, route.answer) if type_ is not None]
    schemas, components = msgspec.json.schema_components([Error, *types], ref_template=REF)
    by_type = iter(schemas[1:])
    error = schemas[0]
    paths: dict[str, dict[str, Any]] = {}
    for route in chosen:
        body = next(by_type) if route.body is not None else None
        answer = next(by_type) if route.answer is not None else None
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, body, answer, error)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _schemes(cookie)},
    }


def _operation(route: Route, body: Any, answer: Any, error: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name_of(route),
        "summary": route.summary,
        "security": _SECURITY[route.auth],
        "responses": {str(route.status): _response(route, answer), **_errors(route, error)},
    }
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": {"type": _QUERY_TYPES.get(name, "string")}}
        for name in route.query
    ]
    if route.auth == "team" and route.method == "POST":
        parameters.append(_KEY)
    if parameters:
        operation["parameters"] = parameters
    if route.takes:
        taken = {route.takes: {"schema": {"type": "string"}}}
        operation["requestBody"] = {"required": True, "content": taken}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _name_of(route: Route) -> str:
    """Unique, since no two routes have method and path in common: get_installer_jobs_by_job."""
    parts = [part for part in route.path.split("/") if part not in ("", "api", "v1")]
    named = [f"by_{part[1:-1]}" if part.startswith("{") else re.sub(r"\W", "_", part) for part in parts]
    return "_".join([route.method.lower(), *named])


def _response(route: Route, answer: Any) -> dict[str, Any]:
    response: dict[str, Any] = {"description": route.summary}
    if route.media:
        response["content"] = {route.media: {"schema": answer or {"type": "string"}}}
    if route.auth == "team":
        response["headers"] = {
            name: {"description": words, "schema": {"type": "integer"}} for name, words in _RATE.items()
        }
    return response


def _errors(route: Route, error: Any) -> dict[str, Any]:
    types = [*_ALWAYS[route.auth], *route.errors]
    types += _BY_WRITING if route.method != "GET" and route.auth == "link" else ()
    types += _BY_BODY if route.body is not None else ()
    types += (RequestInvalid,) if route.query else ()
    types += (RequestInvalid, KeyReused, KeyBusy) if route.auth == "team" and route.method == "POST" else ()
    codes: dict[int, list[str]] = {}
    for type_ in dict.fromkeys(types):
        codes.setdefault(type_.http_status, []).append(type_.code)
    return {
        str(status): {"description": ", ".join(names), "content": {"application/json": {"schema": error}}}
        for status, names in sorted(codes.items())
    }


def _schemes(cookie: str) -> dict[str, Any]:
    return {
        "linkToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "gl1_…",
            "description": "A job's link token.",
        },
        "teamToken": {"type": "http", "scheme": "bearer", "bearerFormat": "gc1_…", "description": "A team's token."},
        "adminToken": {"type": "http", "scheme": "bearer", "bearerFormat": "ga1_…", "description": "A box token."},
        "sessionCookie": {"type": "apiKey", "in": "cookie", "name": cookie},
    }
