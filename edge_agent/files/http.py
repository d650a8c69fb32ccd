"""The HTTP routes charge points bring and fetch files by: the random name in the path is the whole capability.

No cookie, no Host list, no 64 KiB limit: these are no browsers. An upload comes raw or as the first file of a
multipart form, by PUT or POST; whatever name follows the random one is not looked at. Images are served with Range and
their checksum. Source: SECURITY §7.1; OCPP 1.6 §4.4, §5.8, §5.19. Start at `station_routes`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from aiohttp import BodyPartReader, MultipartReader, hdrs, web

from edge_agent.files.offers import IMAGE_PATH, UPLOAD_PATH, Offer
from edge_agent.files.uploads import Sink, UploadRefused, Uploads
from sitelink.states import TransferMethod
from web_ui.surface import ANY_HOST, UNHURRIED

CHUNK_BYTES = 64 * 1024
PASSED_OVER_MAX_BYTES = 64 * 1024
"""Of a form's other fields."""
_METHODS = (TransferMethod.HTTP, TransferMethod.HTTPS)
_STATUS = {"taken": 409, "too_large": 413, "too_slow": 408, "no_room": 507, "over": 404}


FindOffer = Callable[[str], Offer | None]
Progress = Callable[[Offer], None]


def station_routes(uploads: Uploads, find_offer: FindOffer, progress: Progress) -> list[web.RouteDef]:
    """To be added to the box's application."""

    async def take(request: web.Request) -> web.StreamResponse:
        way = uploads.find(request.match_info["token"], *_METHODS)
        if way is None:
            return _closing(404, "not expected here")
        try:
            sink = uploads.open(way)
        except UploadRefused as refusal:
            return _closing(_STATUS.get(refusal.problem, 500), refusal.problem)
        try:
            await _fill(sink, request, uploads.limits.window_s)
        except UploadRefused as refusal:
            return _closing(_STATUS.get(refusal.problem, 500), refusal.problem)
        except _NoFile:
            sink.break_off("no_file")
            return _closing(400, "no file in it")
        finally:
            sink.break_off("cut_off")
        return web.Response(status=201, text="kept\n")

    async def serve(request: web.Request) -> web.StreamResponse:
        offer = find_offer(request.match_info["token"])
        if offer is None:
            return _closing(404, "not offered here")
        return await _serve(request, offer, progress)

    for handler in (take, serve):
        setattr(handler, ANY_HOST, True)
        setattr(handler, UNHURRIED, True)
    upload, image = f"{UPLOAD_PATH}/{{token}}", f"{IMAGE_PATH}/{{token}}/{{name}}"
    return [
        web.put(upload, take), web.post(upload, take),
        web.put(upload + "/{name:.*}", take), web.post(upload + "/{name:.*}", take),
        web.get(image, serve),
    ]  # fmt: skip


class _NoFile(Exception):
    """A form without a file."""


def _closing(status: int, problem: str) -> web.Response:
    """The rest of the body is not read: the connection ends."""
    response = web.Response(status=status, text=problem.replace("_", " ") + "\n")
    response.force_close()
    return response


# ---- coming in ----


async def _fill(sink: Sink, request: web.Request, window_s: float) -> None:
    """Raises UploadRefused, _NoFile."""
    length = request.content_length
    if request.content_type.startswith("multipart/"):
        chunks = _of_form(request)
    else:
        chunks = request.content.iter_chunked(CHUNK_BYTES)
    iterator = aiter(chunks)
    while True:
        try:
            async with asyncio.timeout(window_s):
                chunk = await anext(iterator)
        except StopAsyncIteration:
            break
        except TimeoutError:
            sink.break_off("too_slow")
            raise UploadRefused("too_slow") from None
        except (ConnectionError, web.HTTPException, ValueError):
            sink.break_off("cut_off")
            raise UploadRefused("cut_off") from None
        await asyncio.to_thread(sink.write, chunk)
    if length is not None and not request.content_type.startswith("multipart/") and sink.size != length:
        sink.break_off("cut_off")
        raise UploadRefused("cut_off")
    await asyncio.to_thread(sink.finish)


async def _of_form(request: web.Request) -> AsyncIterator[bytes]:
    """The first file of a form; other fields are passed over."""
    # The application's limit for bodies is not meant for this one; the sink has its own.
    form: MultipartReader = await request.clone(client_max_size=0).multipart()
    found = passed = 0
    while (part := await form.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise _NoFile
        is_file = part.filename is not None and not found
        found += is_file
        while chunk := await part.read_chunk(CHUNK_BYTES):
            if is_file:
                yield bytes(chunk)
            elif (passed := passed + len(chunk)) > PASSED_OVER_MAX_BYTES:
                raise _NoFile
    if not found:
        raise _NoFile


# ---- going out ----


async def _serve(request: web.Request, offer: Offer, progress: Progress) -> web.StreamResponse:
    etag = f'"{offer.sha256}"'
    start, stop, status = _range_of(request, offer.size, etag)
    headers = {
        hdrs.CONTENT_TYPE: "application/octet-stream",
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="{offer.name}"',
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.ETAG: etag,
        "Digest": "sha-256=" + _base64(offer.sha256),
    }
    if status == 416:
        return web.Response(status=416, headers={hdrs.CONTENT_RANGE: f"bytes */{offer.size}"})
    if status == 206:
        headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{stop - 1}/{offer.size}"
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = stop - start
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        return response
    with offer.path.open("rb") as source:
        source.seek(start)
        at = start
        while at < stop:
            chunk = await asyncio.to_thread(source.read, min(CHUNK_BYTES, stop - at))
            if not chunk:
                raise ConnectionError("the image became shorter")
            await response.write(chunk)
            offer.went_out(at, at + len(chunk))
            at += len(chunk)
            progress(offer)
    with suppress(ConnectionError):
        await response.write_eof()
    return response


def _range_of(request: web.Request, size: int, etag: str) -> tuple[int, int, int]:
    """(from, to, status). One range only; anything else is answered with the whole."""
    given = request.headers.get(hdrs.RANGE)
    unless = request.headers.get(hdrs.IF_RANGE)
    if given is None or (unless is not None and unless != etag):
        return 0, size, 200
    try:
        wanted = request.http_range
    except ValueError:
        return 0, size, 200
    start, stop = wanted.start or 0, size if wanted.stop is None else min(wanted.stop, size)
    if start < 0:
        start = max(0, size + start)
    return (start, stop, 206) if start < stop else (0, 0, 416)


def _base64(digest: str) -> str:
    import base64

    return base64.b64encode(bytes.fromhex(digest)).decode()
