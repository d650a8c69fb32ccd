"""Files in the box admin API: diagnostics and logs asked for and fetched, firmware images kept and installed.

Bearer tokens of the box only. Files of charge points are handed out as attachments and never looked into (SECURITY
§7.1). Start at `ROUTES`.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import BodyPartReader, hdrs, web

from edge_agent.pages.admin import ADMIN, authorise, known_station
from edge_agent.site.firmware import ImageView, image_view
from edge_agent.site.jobs import OPERATOR
from edge_agent.site.transfers import LogRange, Transfers
from sitelink.errors import (
    FileGone,
    FirmwareInvalid,
    FirmwareUnsigned,
    MediaTypeRefused,
    NotFound,
    RequestInvalid,
    StationOffline,
    StoreUnavailable,
    TransferRunning,
    TransferUnavailable,
)
from sitelink.ids import TransferId
from sitelink.states import TransferKind, TransferMethod
from web_ui.bodies import read_json
from web_ui.file_pages import attachment
from web_ui.job_api import answer
from web_ui.routes import Route
from web_ui.surface import UNHURRIED
from web_ui.transfer_views import TransferView, transfer_view, transfer_views

TRANSFERS: web.AppKey[Transfers] = web.AppKey("transfers", Transfers)
CHUNK_BYTES = 64 * 1024
FIELD_MAX_BYTES = 16 * 1024


class RequestTransfer(msgspec.Struct, forbid_unknown_fields=True):
    """`transfer_id` made by the caller: sent again, it names the same transfer. `oldest`, `latest` for logs only.

    For firmware: `firmware` is the id of an image; `unsigned` installs it without a signature, by that express wish.
    """

    kind: TransferKind
    transfer_id: UUID | None = None
    method: TransferMethod | None = None
    oldest: datetime | None = None
    latest: datetime | None = None
    firmware: str | None = None
    unsigned: bool = False
    install_at: datetime | None = None


class TransferRequested(msgspec.Struct):
    transfer_id: str


# ---- transfers ----


async def post_transfer(request: web.Request) -> web.Response:
    """Have a charge point upload its diagnostics or security log, or install an image of the box."""
    authorise(request)
    station = known_station(request)
    body = await read_json(request, RequestTransfer)
    firmware = body.kind is TransferKind.FIRMWARE
    if firmware is not bool(body.firmware):
        raise RequestInvalid(where="firmware", problem="needed with kind firmware, and only then")
    for name, moment in (("oldest", body.oldest), ("latest", body.latest), ("install_at", body.install_at)):
        if moment is not None and (moment.tzinfo is None or firmware is not (name == "install_at")):
            raise RequestInvalid(where=name, problem="not_allowed", allowed="a time with its zone, where it has a use")
    transfer = await request.app[TRANSFERS].request(
        station, body.kind, OPERATOR, method=body.method, image=body.firmware, unsigned=body.unsigned,
        transfer=TransferId(str(body.transfer_id)) if body.transfer_id else None,
        span=LogRange(body.oldest, body.latest), install_at=body.install_at,
    )  # fmt: skip
    return answer(TransferRequested(transfer), status=202)


async def list_transfers(request: web.Request) -> web.Response:
    """Newest first."""
    authorise(request)
    snapshot = request.app[ADMIN].snapshot()
    return answer(transfer_views(snapshot, known_station(request)))


async def get_transfer(request: web.Request) -> web.Response:
    authorise(request)
    found = request.app[TRANSFERS].transfer(_transfer_id(request))
    return answer(transfer_view(found, request.app[ADMIN].snapshot()))


async def get_transfer_file(request: web.Request) -> web.StreamResponse:
    """What the charge point uploaded, as it came."""
    authorise(request)
    transfers, transfer = request.app[TRANSFERS], _transfer_id(request)
    return attachment(transfers.file(transfer), transfers.transfer(transfer))


setattr(get_transfer_file, UNHURRIED, True)


# ---- firmware ----


async def list_firmware(request: web.Request) -> web.Response:
    """Newest first."""
    authorise(request)
    return answer([image_view(each) for each in await request.app[TRANSFERS].images()])


async def post_firmware(request: web.Request) -> web.Response:
    """Keep an image: a multipart form with version, signature and certificate, where there are such, and then file."""
    authorise(request)
    if request.content_type != "multipart/form-data":
        raise MediaTypeRefused(found=request.headers.get(hdrs.CONTENT_TYPE, ""), allowed="multipart/form-data")
    # An image is larger than other bodies may be; the library has its own limit.
    try:
        form = await request.clone(client_max_size=0).multipart()
    except ValueError as error:  # no boundary
        raise FirmwareInvalid(problem="no_file") from error
    texts: dict[str, str] = {}
    while (part := await form.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name not in ("version", "signature", "certificate", "file"):
            raise FirmwareInvalid(problem="not_allowed", where=str(getattr(part, "name", ""))[:50])
        if part.name == "file":
            image = await request.app[TRANSFERS].add_image(
                part.filename or "", _chunks(part), texts.get("version"), texts.get("signature"),
                texts.get("certificate"),
            )  # fmt: skip
            return answer(image_view(image), status=201)
        texts[part.name] = await _text(part)
    raise FirmwareInvalid(problem="no_file")


setattr(post_firmware, UNHURRIED, True)


async def delete_firmware(request: web.Request) -> web.Response:
    authorise(request)
    return answer(image_view(await request.app[TRANSFERS].remove_image(request.match_info["id"])))


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK_BYTES):
        yield bytes(chunk)


async def _text(part: BodyPartReader) -> str:
    found = b""
    async for chunk in _chunks(part):
        found += chunk
        if len(found) > FIELD_MAX_BYTES:
            raise FirmwareInvalid(problem="not_allowed", where=part.name, allowed=FIELD_MAX_BYTES)
    try:
        return found.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise FirmwareInvalid(problem="not_allowed", where=part.name) from error


def _transfer_id(request: web.Request) -> TransferId:
    return TransferId(request.match_info["transfer_id"])


_ONE = "/api/v1/charge-points/{identity}/transfers"
_FIRMWARE = "/api/v1/firmware"
_ANY: Any = None

ROUTES = (
    Route("POST", _ONE, post_transfer, "Have a charge point upload its diagnostics or log, or install firmware.",
          RequestTransfer, TransferRequested, 202, auth="admin",
          errors=(NotFound, StationOffline, TransferRunning, TransferUnavailable, FirmwareUnsigned, StoreUnavailable)),
    Route("GET", _ONE, list_transfers, "A charge point's transfers, newest first.", answer=list[TransferView],
          auth="admin", errors=(NotFound,)),
    Route("GET", "/api/v1/transfers/{transfer_id}", get_transfer, "How a transfer stands.", answer=TransferView,
          auth="admin", errors=(NotFound,)),
    Route("GET", "/api/v1/transfers/{transfer_id}/file", get_transfer_file, "What the charge point uploaded.",
          media="application/octet-stream", auth="admin", errors=(NotFound, FileGone)),
    Route("GET", _FIRMWARE, list_firmware, "The firmware images on the box.", answer=list[ImageView], auth="admin"),
    Route("POST", _FIRMWARE, post_firmware, "Keep a firmware image (multipart form, the file last).",
          answer=ImageView, status=201, auth="admin", errors=(FirmwareInvalid, MediaTypeRefused)),
    Route("DELETE", f"{_FIRMWARE}/{{id}}", delete_firmware, "Remove a firmware image.", answer=ImageView,
          auth="admin", errors=(NotFound,)),
)  # fmt: skip
