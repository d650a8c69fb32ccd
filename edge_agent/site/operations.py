"""What an operator can do at the box by command: one named operation each, plain data in, plain data out.

Start at `Operations.run`. Used by the control socket of a running agent and by the command line without one.
Shapes are those of DESIGN §6 "Programs" and docs/cli.md.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from edge_agent.site.jobs import OPERATOR, JobService
from sitelink.errors import NotFound, RequestInvalid, SiteError
from sitelink.job_file import job_file_of
from sitelink.model import ChargePoint, Job, SiteState
from sitelink.status import status_of

Operation = Callable[[Mapping[str, Any]], Awaitable[Any]]


class Operations:
    """`link_url` makes the address that is printed from a token; `more` are operations that are not about jobs."""

    def __init__(
        self, jobs: JobService, link_url: Callable[[str], str], more: Mapping[str, Operation] | None = None
    ) -> None:
        self._jobs = jobs
        self._link_url = link_url
        self._by_name: dict[str, Operation] = {
            "job.import": self._import,
            "job.list": self._list,
            "job.export": self._export,
            "job.link": self._link,
            "job.activate": self._activate,
            "job.reopen": self._reopen,
            "job.archive": self._archive,
            "job.note": self._note,
            "token.list": self._tokens,
            "token.new": self._new_token,
            "token.revoke": self._revoke_token,
            **(more or {}),
        }

    async def run(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Plain data, fit for JSON. Raises SiteError."""
        operation = self._by_name.get(name)
        if operation is None:
            raise NotFound(what="operation", key=name)
        return msgspec.to_builtins(await operation(arguments))

    async def _import(self, arguments: Mapping[str, Any]) -> Any:
        done = await self._jobs.import_job(job_file_of(arguments.get("file")), replace=bool(arguments.get("replace")))
        return {"job": done.job, "number": done.number, "link": self._link_url(done.token), "token": done.token}

    async def _list(self, _arguments: Mapping[str, Any]) -> Any:
        state = self._jobs.snapshot().state
        return [_summary(state, job) for job in self._jobs.jobs()]

    async def _export(self, arguments: Mapping[str, Any]) -> Any:
        return self._jobs.record(self._job(arguments).id)

    async def _link(self, arguments: Mapping[str, Any]) -> Any:
        job = self._job(arguments)
        token = await self._jobs.new_link(job.id, instead=arguments.get("instead") is True)
        return {"job": job.id, "number": job.number, "link": self._link_url(token), "token": token}

    async def _activate(self, arguments: Mapping[str, Any]) -> Any:
        job = self._job(arguments)
        rows = self._rows(job, arguments.get("charge_point"))
        active = arguments.get("active", True) is not False
        changed = await self._jobs.set_activity([row.id for row in rows], active=active)
        return {"job": job.id, "number": job.number, "changed": changed}

    async def _reopen(self, arguments: Mapping[str, Any]) -> Any:
        job = self._job(arguments)
        await self._jobs.reopen(job.id)
        return _summary(self._jobs.snapshot().state, self._jobs.find(job.id))

    async def _archive(self, arguments: Mapping[str, Any]) -> Any:
        job = self._job(arguments)
        await self._jobs.archive(job.id)
        return _summary(self._jobs.snapshot().state, self._jobs.find(job.id))

    async def _note(self, arguments: Mapping[str, Any]) -> Any:
        job = self._job(arguments)
        name = arguments.get("charge_point")
        if not isinstance(name, str) or not name:
            raise RequestInvalid(where="charge_point", problem="name the charge point")
        (row,) = self._rows(job, name)
        author = msgspec.structs.replace(OPERATOR, name=_text(arguments, "name", optional=True))
        await self._jobs.add_note(job.id, row.id, author, _text(arguments, "text") or "")
        return {"job": job.id, "charge_point": row.id}

    async def _new_token(self, arguments: Mapping[str, Any]) -> Any:
        return {"token": await self._jobs.new_admin_token(_text(arguments, "name") or "")}

    async def _tokens(self, _arguments: Mapping[str, Any]) -> Any:
        return [
            {"id": each.id, "name": each.name, "created_at": each.created_at, "revoked_at": each.revoked_at}
            for each in self._jobs.admin_tokens()
        ]

    async def _revoke_token(self, arguments: Mapping[str, Any]) -> Any:
        return {"revoked": await self._jobs.revoke_admin_token(_text(arguments, "token") or "")}

    def _job(self, arguments: Mapping[str, Any]) -> Job:
        return self._jobs.find(_text(arguments, "job") or "")

    def _rows(self, job: Job, wanted: Any) -> list[ChargePoint]:
        """The job's rows, or the one of that name, identity or id. Raises NotFound."""
        rows = self._jobs.snapshot().state.rows(job)
        if wanted is None:
            return rows
        found = [row for row in rows if wanted in (row.name, row.identity, row.id)]
        if len(found) != 1:
            raise NotFound(what="charge_point", key=str(wanted))
        return found


def _text(arguments: Mapping[str, Any], key: str, *, optional: bool = False) -> str | None:
    value = arguments.get(key)
    if value is None and optional:
        return None
    if not isinstance(value, str) or not value:
        raise RequestInvalid(where=key, problem="a text is needed")
    return value


def _summary(state: SiteState, job: Job) -> dict[str, Any]:
    rows = state.rows(job)
    return {
        "job": job.id,
        "number": job.number,
        "status": job.status.value,
        "site": job.site_name,
        "total": len(rows),
        "connected": sum(status_of(state, row).connected for row in rows),
        "active": sum(row.active for row in rows),
    }


def error_data(error: SiteError) -> dict[str, Any]:
    """An error as it travels to the command line."""
    fields = msgspec.to_builtins(error.fields, str_keys=True, enc_hook=str)
    return {"code": error.code, "fields": fields}
