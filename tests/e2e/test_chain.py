"""The whole chain with real parts: a chat server, the program as its own process, a real browser, pixels compared."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from tests.support.browsers import CURRENT, fact, launch
from tests.support.irc_server import IrcServer, id_of
from tests.support.real_program import CONFIG, Remote, client, command, environment, free_port, wait_until_ready

pytestmark = pytest.mark.browser

SIZE = (640, 352)


class Show:
    """A program that can be stopped and started, the chat it reads, and the browser that looks at it."""

    def __init__(self, folder: Path, chat: IrcServer, browser: Browser) -> None:
        self.chat, self.browser, self.port = chat, browser, free_port()
        config = folder / "config.yaml"
        config.write_text(
            CONFIG
            + f"triggers: [{{use: twitch, channel: {chat.channel}, irc_url: '{chat.url}'}}]\n"
            + "twitch: {emotes: {strip: false}}\n",
            encoding="utf-8",
        )
        self.environ = environment(folder / "home", self.port, config)
        self.remote = Remote(f"http://127.0.0.1:{self.port}", folder / "home", folder / "log")
        self.remote.client = client(self.remote.url)
        self._running = ExitStack()
        self.errors: list[str] = []

    def start(self) -> None:
        self._running.enter_context(command("run", environ=self.environ, log=self.remote.log))
        wait_until_ready(self.remote.url)

    def stop(self) -> None:
        self._running.close()

    async def page(self) -> Page:
        """Open the overlay as OBS would."""
        url = (await self.remote.client.get("/api/v1/overlay")).json()["url"]
        page = await self.browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        await page.goto(url)
        await fact(page, "document.querySelector('.layer') !== null")
        return page

    async def shows(self, page: Page, layer: str, request_id: str | None) -> np.ndarray:
        """Wait until a layer shows a picture (None: nothing) and stands still; return the page's pixels."""
        wanted = f"[data-state=final][data-request={json.dumps(request_id)}]" if request_id else "[data-state=empty]"
        selector = f"[data-layer={layer}]{wanted}"
        await fact(page, f"document.querySelector({json.dumps(selector)}) !== null")
        # Toasts come and go beside the picture; the picture is what is compared.
        await page.evaluate("document.querySelectorAll('.toast').forEach((node) => node.remove())")
        await fact(page, "document.getAnimations().length === 0")
        return np.asarray(Image.open(io.BytesIO(await page.screenshot(omit_background=True))).convert("RGBA"))

    async def picture(self, request_id: str) -> np.ndarray:
        """Return the pixels of the picture that was drawn for a request."""
        answer = await self.remote.client.get(f"/api/v1/pictures/{request_id}/image")
        return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))

    async def chatted(self, text: str, user: str = "streamer", badges: str = "broadcaster/1") -> str:
        """Type a line in chat and wait until its picture has gone on air."""
        message_id = await self.chat.say(text, user, badges=badges)
        assert (await self.remote.ended(message_id))["state"] == "shown"
        return message_id


@pytest.fixture
async def show(tmp_path: Path) -> AsyncIterator[Show]:
    async with opened(tmp_path) as running:
        yield running


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Show]:
    async with IrcServer("harbour") as chat, async_playwright() as playwright:
        browser = await launch(playwright, CURRENT)
        running = Show(folder, chat, browser)
        # In a thread: the chat server lives in this loop and must answer meanwhile.
        await asyncio.to_thread(running.start)
        try:
            await chat.joined()
            yield running
        finally:
            await browser.close()
            await asyncio.to_thread(running.stop)
            await running.remote.client.aclose()
    assert running.errors == []
    assert "Traceback" not in running.remote.log.read_text()


def same(shot: np.ndarray, picture: np.ndarray) -> bool:
    """Tell whether a screenshot shows exactly that picture, but for rounding in the browser's colours."""
    assert shot.shape[:2] == picture.shape[:2]
    return bool((shot[..., 3] == 255).all() and np.abs(shot[..., :3].astype(int) - picture).mean() < 1.5)


def transparent(shot: np.ndarray) -> bool:
    return bool((shot[..., 3] == 0).all())


async def test_a_chat_line_becomes_the_pixels_of_its_picture(show: Show) -> None:
    page = await show.page()
    assert transparent(await show.shows(page, "background", None))
    message_id = await show.chatted("!bg stormy harbour at night")
    picture = await show.picture(message_id)
    assert picture.std() > 10, "a picture, not a flat card"
    assert same(await show.shows(page, "background", message_id), picture)

    other = await show.chatted("!фон осенний лес в тумане")
    assert not same(await show.shows(page, "background", other), picture)
    assert same(await show.shows(page, "background", other), await show.picture(other))

    late = await show.page()
    assert same(await show.shows(late, "background", other), await show.picture(other))

    await page.reload()
    assert same(await show.shows(page, "background", other), await show.picture(other))


async def test_moderators_words_do_what_they_say_on_the_screen(show: Show) -> None:
    page = await show.page()
    first, second = await show.chatted("!bg desert at dawn"), await show.chatted("!bg city in the rain")
    assert same(await show.shows(page, "background", second), await show.picture(second))
    await show.chat.say("!clear", "viewer")
    await show.chat.say("!undo", "mod", badges="moderator/1")
    assert same(await show.shows(page, "background", first), await show.picture(first))
    await show.chat.say("!clear", "mod", badges="moderator/1")
    assert transparent(await show.shows(page, "background", None))
    third = await show.chatted("!bg northern lights")
    await show.shows(page, "background", third)
    await show.chat.say("!panic", "mod", badges="moderator/1")
    assert transparent(await show.shows(page, "background", None))
    refused = await show.chat.say("!bg sea", "streamer", badges="broadcaster/1")
    await show.remote.until(lambda status: status["paused"])
    assert (await show.remote.client.get(f"/api/v1/requests/{refused}")).status_code == 404


async def test_a_meme_pops_up_over_the_background(show: Show) -> None:
    page = await show.page()
    background = await show.chatted("!bg quiet lake")
    before = await show.shows(page, "background", background)
    meme = await show.chatted("!meme cat at a desk | monday | again")
    after = await show.shows(page, "meme", meme)
    assert not np.array_equal(before, after)
    assert (after[..., 3] == 255).all()


async def test_a_deleted_message_and_a_ban_take_pictures_off_the_screen(show: Show) -> None:
    page = await show.page()
    kept = await show.chatted("!bg quiet lake")
    deleted = await show.chatted("!bg spooky house", "ann", badges="")
    await show.shows(page, "background", deleted)
    await show.chat.delete(deleted)
    assert same(await show.shows(page, "background", kept), await show.picture(kept))
    banned = await show.chatted("!bg volcano", "ben", badges="")
    await show.shows(page, "background", banned)
    await show.chat.ban("ben", id_of("ben"))
    assert same(await show.shows(page, "background", kept), await show.picture(kept))


async def test_a_killed_generator_costs_nothing_that_is_on_air(show: Show) -> None:
    page = await show.page()
    before = await show.chatted("!bg quiet lake")
    picture = await show.picture(before)
    (child,) = (process for process in generators(show.port))
    os.kill(child, signal.SIGKILL)
    assert same(await show.shows(page, "background", before), picture)
    after = await show.chatted("!bg snowy village")
    assert same(await show.shows(page, "background", after), await show.picture(after))
    assert [*generators(show.port)] != [child]


def generators(port: int) -> Iterator[int]:
    """Find the generator processes of the program that listens on a port."""
    for process in psutil.process_iter(["cmdline", "ppid"]):
        line = process.info["cmdline"] or []
        if "streamer.generator.worker" in line:
            parent = psutil.Process(process.info["ppid"])
            if parent.environ().get("STREAMER_PORT") == str(port):
                yield process.pid


async def test_a_restarted_server_shows_the_last_background_again(show: Show) -> None:
    page = await show.page()
    message_id = await show.chatted("!bg quiet lake")
    picture = await show.picture(message_id)
    await show.shows(page, "background", message_id)
    await asyncio.to_thread(show.stop)
    assert same(await show.shows(page, "background", message_id), picture), "the picture stays while the server is away"
    await asyncio.to_thread(show.start)
    await fact(page, "document.documentElement.dataset.connection === 'open'")
    assert same(await show.shows(page, "background", message_id), picture)
    fresh = await show.page()
    assert same(await show.shows(fresh, "background", message_id), picture)
    await show.chat.joined(2)
    after = await show.chatted("!bg snowy village")
    assert same(await show.shows(page, "background", after), await show.picture(after))


async def test_the_panel_works_without_errors(show: Show) -> None:
    page = await show.browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    await page.goto(f"{show.remote.url}/#{show.environ['STREAMER_OPERATOR_TOKEN']}")
    await page.get_by_text("connected", exact=True).wait_for()
    assert show.environ["STREAMER_OPERATOR_TOKEN"] not in page.url
    await page.locator("#line").fill("!bg quiet lake")
    await page.get_by_role("button", name="Send").click()
    await page.get_by_text("queued", exact=True).wait_for()
    await page.locator("#pictures img[src^=blob]").first.wait_for()
    await page.get_by_role("button", name="Panic: blank everything").click()
    await page.get_by_role("button", name="Resume", exact=True).wait_for()
    assert (await show.remote.status())["on_air"]["background"] is None
    await page.get_by_role("button", name="Resume", exact=True).click()
    await page.get_by_role("button", name="Pause", exact=True).wait_for()
    assert complaints == []
