"""The page on disk waits for the server and goes to the overlay, in every engine that OBS has."""

from __future__ import annotations

import asyncio
import stat
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from streamer.errors import StoreError
from streamer.integrations.obs import loader_page
from tests.support.browsers import ENGINES, launch
from tests.support.real_program import CONFIG, client, command, environment, free_port, wait_until_ready


@pytest.mark.browser
async def test_it_waits_for_the_server_and_then_is_the_overlay(tmp_path: Path) -> None:
    port, config = free_port(), tmp_path / "config.yaml"
    config.write_text(CONFIG + "obs: {port: 9}\n")
    environ = environment(tmp_path / "home", port, config)
    # The tokens are made at the first start; the page on disk is there from then on.
    with command("run", environ=environ, log=tmp_path / "log"):
        await asyncio.to_thread(wait_until_ready, f"http://127.0.0.1:{port}")
    path = tmp_path / "home" / "obs" / "overlay.html"
    async with async_playwright() as playwright, AsyncExitStack() as stack:
        tabs: list[Page] = []
        for engine in ENGINES:
            browser = await launch(playwright, engine)
            stack.push_async_callback(browser.close)
            tabs.append(await browser.new_page())
            await tabs[-1].goto(path.as_uri())
        await asyncio.sleep(0.5)
        assert all(tab.url.startswith("file:") for tab in tabs)
        with command("run", environ=environ, log=tmp_path / "log"):
            for tab in tabs:
                await tab.wait_for_url("http://127.0.0.1:*/overlay?layers=meme#*", timeout=15_000)
                # Asked again and again: wait_for_function needs eval, which the overlay's policy forbids.
                async with asyncio.timeout(15):
                    while not await tab.evaluate("document.documentElement.dataset.connection === 'open'"):
                        await asyncio.sleep(0.05)
            async with client(f"http://127.0.0.1:{port}") as speaking:
                assert (await speaking.get("/api/v1/status")).json()["pages"] == len(ENGINES)


def test_the_page_is_its_owners_alone_and_holds_the_address(tmp_path: Path) -> None:
    path = loader_page.write(tmp_path / "obs", "overlay", "http://127.0.0.1:8710/overlay?layers=meme#token")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert '"http://127.0.0.1:8710/overlay?layers=meme#token"' in path.read_text()


def test_an_address_cannot_break_out_of_the_script() -> None:
    assert (
        "</script>"
        not in loader_page.page('http://x/"</script><script>alert(1)').split("<script>")[1].split("\n</script>")[0]
    )


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "obs").write_text("")
    with pytest.raises(StoreError, match="overlay"):
        loader_page.write(tmp_path / "obs", "overlay", "http://x")
