"""The panel as a dock beside the OBS preview: narrow, in every engine that OBS ships, and its keys work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, ViewportSize, async_playwright

from tests.support.browsers import CURRENT, ENGINES, fact, launch
from tests.support.real_program import OPERATOR, Remote

pytestmark = pytest.mark.browser

DOCK: ViewportSize = {"width": 320, "height": 700}


# By scripts alone: what Playwright does by itself to find a button needs a newer engine than OBS 30 has.


async def click(page: Page, label: str) -> None:
    """Press the button that says so, as soon as it is there."""
    found = (
        f"[...document.querySelectorAll('button')].find((one) => [one.ariaLabel, one.innerText].includes('{label}'))"
    )
    await fact(page, f"{found} !== undefined")
    await page.evaluate(f"{found}.click()")


@pytest.mark.parametrize("engine", ENGINES)
async def test_nothing_sticks_out_of_a_dock_of_320_pixels_and_its_keys_press(program: Remote, engine: str) -> None:
    async with async_playwright() as playwright:
        browser = await launch(playwright, engine)
        page = await browser.new_page(viewport=DOCK)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        await page.goto(f"{program.url}/#{OPERATOR}")
        await fact(page, "document.querySelector('#link-state').dataset.state === 'connected'")
        await click(page, "Press harbour")
        await program.until(lambda status: status["on_air"]["background"])
        await click(page, "Enlarge stormy harbour")
        await fact(page, "document.querySelector('#viewer').open && document.activeElement.id === 'viewer-close'")
        await click(page, "Close")
        await fact(page, "document.activeElement.ariaLabel === 'Enlarge stormy harbour'")
        await page.evaluate("document.querySelector('details').open = true")
        await fact(page, "document.querySelectorAll('#keys li').length > 5")
        assert await page.evaluate("document.documentElement.scrollWidth") == DOCK["width"]
        panic = await page.evaluate("document.querySelector('#panic').getBoundingClientRect().toJSON()")
        assert (panic["left"] >= 0, panic["right"] <= DOCK["width"], panic["bottom"] < 200) == (True, True, True)
        await click(page, "Free the GPU")
        await click(page, "Warm up again")
        await program.until(lambda status: status["generator"]["state"] == "ready")
        await fact(page, "document.querySelector('#park').innerText === 'Free the GPU'")
        assert complaints == []
        await browser.close()


@asynccontextmanager
async def two_waiting(program: Remote) -> AsyncIterator[Page]:
    """Open the panel where two viewers wait for the GPU to come back, and the rows have come to rest."""
    async with async_playwright() as playwright:
        browser = await launch(playwright, CURRENT)
        page = await browser.new_page(viewport=DOCK)
        await page.goto(f"{program.url}/#{OPERATOR}")
        (await program.client.post("/api/v1/generator/free")).raise_for_status()
        for name in ("ben", "eve"):
            await program.say(f"!bg lake of {name}", "viewer", name)
        await program.until(lambda status: len(status["pending"]) == 2)
        await fact(page, "document.querySelectorAll('#queue li').length === 2")
        await asyncio.sleep(0.6)
        try:
            yield page
        finally:
            (await program.client.post("/api/v1/generator/warm")).raise_for_status()
            await program.until(lambda status: status["generator"]["state"] == "ready")
        await browser.close()


async def test_a_click_in_the_queue_does_not_freeze_it(program: Remote) -> None:
    async with two_waiting(program) as page:
        await page.locator("#queue button").first.click()
        await page.mouse.move(0, 0)
        await fact(page, "document.querySelectorAll('#queue li').length === 1")


async def test_a_queue_that_was_aimed_at_tells_the_news_when_the_pointer_leaves(program: Remote) -> None:
    async with two_waiting(program) as page:
        await page.locator("#queue button").last.hover()
        first = (await program.status())["pending"][0]
        (await program.client.delete(f"/api/v1/requests/{first['id']}")).raise_for_status()
        await asyncio.sleep(0.6)
        assert await page.evaluate("document.querySelectorAll('#queue li').length") == 2
        await page.mouse.move(0, 0)
        await fact(page, "document.querySelectorAll('#queue li').length === 1")


async def test_a_panel_that_receives_nothing_for_fifteen_seconds_connects_again(program: Remote) -> None:
    """The page's clock is set forward, so that the server seems silent meanwhile."""
    async with async_playwright() as playwright:
        browser = await launch(playwright, CURRENT)
        page = await browser.new_page(viewport=DOCK)
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        await page.clock.install()
        await page.goto(f"{program.url}/#{OPERATOR}")
        await fact(page, "document.querySelector('#link-state').dataset.state === 'connected'")
        assert len(sockets) == 1
        await page.evaluate("""() => {
            globalThis.states = [];
            const noted = document.querySelector('#link-state');
            new MutationObserver(() => states.push(noted.dataset.state)).observe(noted, { attributes: true });
        }""")
        await page.clock.fast_forward(16_000)
        await fact(page, "states.includes('lost')")
        await page.clock.fast_forward(1_000)
        await fact(page, "document.querySelector('#link-state').dataset.state === 'connected'")
        assert sockets == [sockets[0]] * 2
        await browser.close()
