"""The panel on a moderator's phone: what waits is decided on with a thumb, and nothing else is hit by it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, async_playwright

from streamer import cli
from tests.support.browsers import CURRENT, fact, launch
from tests.support.real_program import CONFIG, Remote, client, command, environment, free_port, wait_until_ready

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 390, "height": 844}
HELD = "[...document.querySelectorAll('#held li')]"
# By a script of the page: a tap from here would come at any time after the row has moved.
TAP_AS_IT_MOVES = """([x, y]) => {
  const watch = new MutationObserver((changes) => {
    if (!changes.some((one) => one.removedNodes.length)) return;
    watch.disconnect();
    const button = document.elementFromPoint(x, y).closest('button');
    window.tapped = button.ariaLabel;
    button.dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 1, clientX: x, clientY: y }));
  });
  watch.observe(document.querySelector('#held'), { childList: true });
}"""


async def test_held_pictures_are_decided_on_with_a_thumb_and_a_list_that_has_just_moved_takes_no_tap(
    tmp_path: Path, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_file.write_text(CONFIG + 'approval: {mode: "on"}\n', encoding="utf-8")
    environ = environment(tmp_path / "home", free_port(), config_file)
    await cli.token_new(environ, "anna", "moderator")
    panel = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("Panel: "))[7:]
    url = panel.partition("/#")[0]
    with command("run", environ=environ, log=tmp_path / "log"):
        await asyncio.to_thread(wait_until_ready, url)
        async with client(url) as speaking, async_playwright() as playwright:
            remote = Remote(url, tmp_path / "home", tmp_path / "log")
            remote.client = speaking
            browser = await launch(playwright, CURRENT)
            page = await browser.new_page(viewport=PHONE, is_mobile=True, has_touch=True)
            await page.goto(panel)
            for name in ("ann", "ben", "eve"):
                await remote.say(f"!bg lake of {name}", "viewer", name)
            await fact(page, f"{HELD}.length === 3")

            await nothing_is_too_small_or_out_of_reach(page)
            approve = page.locator("#held li").first.get_by_role("button", name="Approve")
            box = await approve.bounding_box()
            assert box is not None
            # The next picture is where the last one was: a tap in that very moment was meant for the last one.
            await page.evaluate(TAP_AS_IT_MOVES, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
            await approve.tap()
            await fact(page, f"{HELD}.length === 2")
            assert await page.evaluate("window.tapped") == "Approve the picture for ben"
            await remote.until(lambda status: status["on_air"]["background"])
            assert len((await remote.status())["held"]) == 2
            await asyncio.sleep(0.6)
            await page.locator("#held li").first.get_by_role("button", name="Deny").tap()
            await fact(page, f"{HELD}.length === 1")
            await page.locator("#panic").tap()
            await remote.until(lambda status: status["panicked"] and not status["held"])
            await fact(page, "document.querySelector('#link-state').innerText.startsWith('panic')")
            await browser.close()


async def nothing_is_too_small_or_out_of_reach(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert not await page.locator("#overlay-url").is_visible(), "a moderator has no address with a key in it"
    sizes = await page.evaluate(
        "[...document.querySelectorAll('button')].filter((one) => one.offsetParent)"
        ".map((one) => [one.offsetWidth, one.offsetHeight])"
    )
    assert all(min(size) >= 44 for size in sizes), sizes
    panic = await page.locator("#panic").bounding_box()
    assert panic is not None
    assert panic["y"] > PHONE["height"] * 0.8
    assert panic["x"] + panic["width"] <= PHONE["width"]
    assert panic["y"] + panic["height"] <= PHONE["height"]
