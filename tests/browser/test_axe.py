"""axe finds a fault where there is one, and none where there is none: else the other tests would prove nothing."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Browser, Page

GOOD = "<!doctype html><html lang=en><title>t</title><main><h1>h</h1><label>Serial <input></label></main>"
BAD = "<!doctype html><html lang=en><title>t</title><main><h1>h</h1><input></main>"
AxeFaults = Callable[[Page], Awaitable[list[str]]]


async def test_axe_finds_a_field_without_a_label_and_nothing_on_a_good_page(
    chromium: Browser, axe_faults: AxeFaults
) -> None:
    page = await chromium.new_page()
    await page.set_content(BAD)
    found = await axe_faults(page)
    assert len(found) == 1
    assert "label" in found[0]
    await page.set_content(GOOD)
    assert await axe_faults(page) == []
    await page.close()
