"""A QR code as SVG in a page."""

from xml.etree import ElementTree

from cloud_relay.console.qr import svg_of


def test_it_is_a_picture_with_a_name_and_nothing_runs_in_it() -> None:
    root = ElementTree.fromstring(svg_of("https://cloud.example/j#gl1_" + "x" * 43, "<b>The link</b>"))
    tags = [each.tag.rpartition("}")[2] for each in root.iter()]
    assert root.tag.endswith("svg")
    assert "script" not in tags
    assert [each.text for each in root.iter() if each.tag.endswith("title")] == ["<b>The link</b>"]
    assert "path" in tags
