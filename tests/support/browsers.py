"""The browsers the pages are tested in: whatever Chromium is installed, and the two engines inside OBS."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Playwright

from scripts.browsers import MAJORS, binary

CURRENT = "current"
ENGINES = (CURRENT, *map(str, MAJORS))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    # As OBS starts it.
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebBluetooth,HardwareMediaKeyHandling",
]


def find(engine: str) -> Path | None:
    """Return the engine's binary, None if it is not on this machine."""
    if engine != CURRENT:
        path = binary(int(engine))
        return path if path.exists() else None
    names = (os.environ.get("STREAMER_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "chrome")
    found = next(filter(None, (shutil.which(name) for name in names if name)), None)
    return Path(found) if found else None


def require(engine: str) -> Path:
    """Return the engine's binary; skips the test without it, or fails it where browsers are required."""
    path = find(engine)
    if path is not None:
        return path
    fix = "install Chromium" if engine == CURRENT else "run scripts/browsers.py"
    message = f"no Chromium {engine} here: {fix}"
    if os.environ.get("STREAMER_REQUIRE_BROWSERS") == "1":
        pytest.fail(message)
    pytest.skip(message)


async def launch(playwright: Playwright, engine: str) -> Browser:
    """Start one engine the way OBS would, without a window."""
    return await playwright.chromium.launch(executable_path=require(engine), headless=True, args=FLAGS)


async def fact(page: Page, expression: str) -> None:
    """Wait until a script's expression is true: Playwright's own ways to wait need a newer engine than OBS 30 has."""
    async with asyncio.timeout(20):
        while not await page.evaluate(expression):
            await asyncio.sleep(0.02)
