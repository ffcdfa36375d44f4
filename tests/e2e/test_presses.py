"""A press of 110 ms counts on every button of the panel while everything on it changes twenty times a second."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright

from tests.support.browsers import CURRENT, fact, launch
from tests.support.busy_panel import TOKEN, BusyPanel, busy_panel

pytestmark = pytest.mark.browser

PRESS_S = 0.11
AIM_S = 0.6
"""Longer than the half second in which a button that has just slid under the pointer takes no click."""
PRESSES = int(os.environ.get("STREAMER_PRESSES", "4"))

COMMANDS = {
    "clear background": "POST /api/v1/stage/background/clear",
    "undo background": "POST /api/v1/stage/background/undo",
    "redo meme": "POST /api/v1/stage/meme/redo",
    "Pause": "POST /api/v1/pause",
    "Free the GPU": "POST /api/v1/generator/free",
    "Panic: blank everything": "POST /api/v1/panic",
    "Approve the picture for ann": "POST /api/v1/requests/r-ann/approve",
    "Show now the picture for ben": "POST /api/v1/requests/r-ben/approve",
    "Deny the picture for ann": "POST /api/v1/requests/r-ann/deny",
    "Ban the picture for ann": "POST /api/v1/bans",
    "Stop everything about to go on air": "POST /api/v1/cut",
    "Remove the request from ann": "DELETE /api/v1/requests/r-ann",
    "Unban ann": "DELETE /api/v1/bans/ann",
    "Press harbour": "POST /trigger/harbour",
    "Send": "POST /api/v1/triggers",
}


@asynccontextmanager
async def signed_in(panel: BusyPanel) -> AsyncIterator[BrowserContext]:
    """Open a browser whose pages are signed in."""
    async with async_playwright() as playwright:
        browser: Browser = await launch(playwright, CURRENT)
        context = await browser.new_context(viewport={"width": 1000, "height": 700})
        await (await opened(context, f"{panel.url}/#{TOKEN}")).close()
        yield context
        await browser.close()


async def opened(context: BrowserContext, url: str) -> Page:
    page = await context.new_page()
    await page.goto(url)
    await fact(page, "document.querySelector('#queue li') !== null")
    return page


async def aim_at(page: Page, button: Locator) -> None:
    """Move the mouse onto a button, as often as it takes, and look at it for a moment."""
    async with asyncio.timeout(20):
        while True:
            box = await button.bounding_box()
            assert box is not None
            await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            if await button.evaluate("(node) => node.matches(':hover')"):
                break
            # It may have slid below the sticky head of the page, as rows came and went.
            await button.evaluate("(node) => node.scrollIntoView({ block: 'center' })")
    await asyncio.sleep(AIM_S)


async def press(page: Page, times: int = 1) -> None:
    for _ in range(times):
        await page.mouse.down()
        await asyncio.sleep(PRESS_S)
        await page.mouse.up()


async def arrived(panel: BusyPanel, command: str, times: int) -> None:
    """Wait until the server has received a command so often: calls that are on their way end with their page."""
    async with asyncio.timeout(20):
        while panel.received[command] < times:
            await asyncio.sleep(0.02)


async def press_each(panel: BusyPanel, page: Page, labels: Iterable[str]) -> None:
    for label in labels:
        button = page.get_by_role("button", name=label, exact=True)
        await button.scroll_into_view_if_needed()
        await aim_at(page, button)
        await press(page, PRESSES)
        await arrived(panel, COMMANDS[label], PRESSES)


async def test_every_press_of_every_button_reaches_the_server_once() -> None:
    async with busy_panel() as panel, signed_in(panel) as context:
        pages = [await opened(context, panel.url) for _ in range(2)]
        labels = list(COMMANDS)
        async with asyncio.TaskGroup() as tasks:
            for place, page in enumerate(pages):
                tasks.create_task(press_each(panel, page, labels[place :: len(pages)]))
        received = {label: panel.received[command] for label, command in COMMANDS.items()}
        assert received == dict.fromkeys(COMMANDS, PRESSES)
        assert panel.received.total() == PRESSES * len(COMMANDS)
