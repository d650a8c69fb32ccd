"""The operator's commands about firmware images on the box. Start at `operations`; shapes are those of docs/cli.md."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.site.operations import Operation
from edge_agent.site.ports import Files, FirmwareImage
from sitelink.errors import FirmwareInvalid, RequestInvalid


class ImageView(msgspec.Struct):
    """An image as an operator sees it. `signed`: it has a signature and the certificate to check it by."""

    id: str
    name: str
    version: str | None
    bytes: int
    sha256: str
    signed: bool
    added_at: Any


def image_view(image: FirmwareImage) -> ImageView:
    return ImageView(
        image.id, image.name, image.version, image.size, image.sha256, image.signature is not None, image.added_at
    )  # fmt: skip


def operations(files: Files) -> dict[str, Operation]:
    """By name: firmware.add, firmware.list, firmware.remove."""

    async def add(arguments: Mapping[str, Any]) -> Any:
        given = arguments.get("file")
        if not isinstance(given, str) or not Path(given).is_absolute():
            raise RequestInvalid(where="file", problem="an absolute path is needed")
        texts = {name: arguments.get(name) for name in ("version", "signature", "certificate")}
        for name, text in texts.items():
            if text is not None and not isinstance(text, str):
                raise FirmwareInvalid(problem="not_allowed", where=name)
        return image_view(await files.add_image_from(Path(given), **texts))

    async def list_(_arguments: Mapping[str, Any]) -> Any:
        return [image_view(each) for each in await files.images()]

    async def remove(arguments: Mapping[str, Any]) -> Any:
        return image_view(await files.remove_image(str(arguments.get("image") or "")))

    return {"firmware.add": add, "firmware.list": list_, "firmware.remove": remove}
