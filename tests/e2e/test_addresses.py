"""The program at other addresses than 127.0.0.1: in a folder behind a reverse proxy, and in the local network."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, async_playwright
from websockets.asyncio.client import connect

from streamer.integrations.network import lan_address
from tests.support.browsers import CURRENT, fact, launch
from tests.support.real_program import CONFIG, OPERATOR, client, command, wait_until_ready
from tests.support.reverse_proxy import ReverseProxy

AWKWARD = """tea & cake? #1/2 it's "ё" 100%"""


def printed(log: Path, name: str) -> str:
    """Return an address that the program printed."""
    lines = (line.partition(":") for line in log.read_text().splitlines())
    return next(rest.strip() for head, _, rest in lines if head == name)


async def opened(page: Page, url: str, errors: list[str]) -> None:
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(request.url))
    await page.goto(url)


async def every_way_to_press_works(url: str) -> None:
    """Paste what the panel lists for a name with signs into a browser and into a shell."""
    async with client(url) as operator:
        (listed,) = [each for each in (await operator.get("/api/v1/named_triggers")).json() if each["name"] == AWKWARD]
        pressed = await httpx.AsyncClient(trust_env=False).get(listed["address"])
        assert pressed.json()["outcome"] in ("queued", "done"), pressed.text
    shell = await asyncio.create_subprocess_shell(listed["shortcut"], stdout=subprocess.PIPE)
    output, _ = await shell.communicate()
    assert json.loads(output)["id"]


@pytest.mark.browser
@pytest.mark.parametrize("strips", [True, False])
async def test_panel_and_overlay_work_in_a_folder_of_a_reverse_proxy(
    strips: bool, environ: dict[str, str], tmp_path: Path
) -> None:
    config, errors = Path(environ["STREAMER_CONFIG"]), list[str]()
    async with ReverseProxy("/live%20show", strips=strips) as proxy, async_playwright() as playwright:
        text = CONFIG.replace("named_triggers: {harbour:", f"named_triggers: {{{json.dumps(AWKWARD)}:")
        config.write_text(f"{text}server: {{public_url: '{proxy.url.replace('%20', ' ')}/'}}\n")
        proxy.port_behind = int(environ["STREAMER_PORT"])
        with command("run", environ=environ, log=tmp_path / "log"):
            await asyncio.to_thread(wait_until_ready, f"http://127.0.0.1:{proxy.port_behind}")
            assert printed(tmp_path / "log", "Panel") == f"{proxy.url}/#{OPERATOR}"
            browser = await launch(playwright, CURRENT)
            panel, overlay = await browser.new_page(), await browser.new_page()
            await opened(overlay, printed(tmp_path / "log", "Overlay"), errors)
            await opened(panel, printed(tmp_path / "log", "Panel"), errors)
            await fact(panel, "document.body.dataset.state === 'connected'")
            await panel.fill("#line", "!bg stormy harbour")
            await panel.press("#line", "Enter")
            await fact(overlay, "document.querySelectorAll('canvas').length > 0")
            await fact(panel, "[...document.querySelectorAll('img')].some((image) => image.naturalWidth > 100)")
            await browser.close()
            await every_way_to_press_works(proxy.url)
    assert (errors, proxy.elsewhere) == ([], [])


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_the_printed_links_are_those_that_the_local_network_can_use(
    host: str, environ: dict[str, str], tmp_path: Path
) -> None:
    if lan_address(host) is None:
        pytest.skip("this computer has no network")
    config = Path(environ["STREAMER_CONFIG"])
    config.write_text(f"{config.read_text()}server: {{host: '{host}', expose: true}}\n")
    with command("run", environ=environ, log=tmp_path / "log"):
        await asyncio.to_thread(wait_until_ready, f"http://127.0.0.1:{environ['STREAMER_PORT']}")
        url = printed(tmp_path / "log", "Panel").partition("/#")[0]
        assert "127.0.0.1" not in url
        assert "0.0.0.0" not in url
        headers = {"authorization": f"Bearer {OPERATOR}", "origin": url, "sec-fetch-site": "same-origin"}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as browser:
            assert (await browser.post("/api/v1/panic")).status_code == 204
            assert (await browser.get("/api/v1/overlay")).json()["url"] == printed(tmp_path / "log", "Overlay")
            assert (await browser.post("/api/v1/panic", headers={"host": "evil.example"})).status_code == 403
        async with connect(f"{url.replace('http', 'ws')}/ws/panel", additional_headers={"origin": url}, proxy=None):
            pass
