"""A QR code to look at or print, as SVG that stands in the page. Start at `svg_of`."""

import io

import segno
from markupsafe import Markup

SCALE = 6


def svg_of(text: str, label: str) -> Markup:
    """Dark on white in every colour scheme; `label` says what it leads to."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", scale=SCALE, border=2, dark="#000", light="#fff", xmldecl=False, svgns=True, title=label,
        omitsize=False,
    )  # fmt: skip
    return Markup(out.getvalue().decode())  # noqa: S704 -- made here, from modules and an escaped title
