"""A real overlay server on a port of its own, pictures to send, and the browsers that look at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright

from streamer.overlay.layer_options import DEFAULT_LAYERS
from tests.support.browsers import ENGINES, launch
from tests.support.overlay_page import LiveServer, Tab


async def serve() -> AsyncIterator[LiveServer]:
    live = LiveServer()
    live.fresh(DEFAULT_LAYERS)
    await live.start()
    try:
        yield live
    finally:
        await live.stop()


@pytest_asyncio.fixture
async def live() -> AsyncIterator[LiveServer]:
    async for server in serve():
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def long_lived() -> AsyncIterator[LiveServer]:
    """One server in the loop that the browsers live in."""
    async for server in serve():
        yield server


@pytest.fixture
def site(long_lived: LiveServer) -> LiveServer:
    """That server with nothing shown yet, and motions that take no time to wait for."""
    quick = {"crossfade_s": 0.05, "animation_s": 0.05}
    long_lived.fresh({name: each.model_copy(update=quick) for name, each in DEFAULT_LAYERS.items()})
    return long_lived


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=ENGINES)
async def browser(request: pytest.FixtureRequest, playwright: Playwright) -> AsyncIterator[Browser]:
    running = await launch(playwright, request.param)
    yield running
    await running.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    fresh = await browser.new_context(viewport={"width": 640, "height": 360})
    yield fresh
    await fresh.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tab(context: BrowserContext, site: LiveServer) -> AsyncIterator[Tab]:
    page = await context.new_page()
    tab = Tab(page, site)
    page.on("pageerror", lambda error: tab.errors.append(str(error)))
    page.on("console", lambda message: tab.complaints.append(message.text) if message.type == "error" else None)
    yield tab
    await page.close()
    assert tab.errors == []
