"""The first evening of a new user, scripted: a fresh machine, the shipped config, a real browser, no GPU.

The program is used from outside only: its command line, what it prints, its two pages and its HTTP API. Each step is
one function of STEPS, in order; the first line of its docstring is what it says. Add a step by writing one and putting
it where it belongs in the evening. Steps wait for facts, never for time.

Prints one line a step, and one line of JSON last. After a failed step the rest is left out, and the folder of
``--shots`` holds a picture of each page and the program's log.
Usage: python -m scripts.newcomer [--shots FOLDER]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from tests.support.browsers import CURRENT, launch
from tests.support.real_program import free_port

PATIENCE_S = 30.0
"""Longer than anything takes on a slow machine; a step that waits this long has failed."""
ROOT = Path(__file__).parent.parent
SIZE = (960, 540)
CHAT = ("harbour", "desert", "forest", "city", "lake", "mountain", "castle", "volcano", "garden", "island", "river",
        "village")  # fmt: skip
NO_ACCELERATOR = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}


class StepFailed(Exception):
    """What was expected did not come."""


def expect(fact: object, otherwise: str) -> None:
    """Fail the step with a sentence unless something holds."""
    if not fact:
        raise StepFailed(otherwise)


@dataclass
class Newcomer:
    """The new user: a home folder with nothing in it, a program that is started and stopped, and two pages."""

    folder: Path
    browser: Browser
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    panel: Page | None = None
    overlay: Page | None = None
    links: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    """Requests of the busy chat that still waited when the program was restarted."""

    @property
    def log(self) -> Path:
        """Return the file of everything that the program prints."""
        return self.folder / "log"

    def environ(self) -> dict[str, str]:
        """Return the environment of a machine on which nobody has ever started the program."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMER_", "XDG_"))}
        return {
            **kept, **NO_ACCELERATOR, "HOME": str(self.folder), "STREAMER_HOME": str(self.folder / "state"),
            "STREAMER_PORT": str(self.port), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CI": "true",
        }  # fmt: skip

    def start(self) -> None:
        """Start the program as its own process."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamer", "run"], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=self.environ(), cwd=self.folder,
            )  # fmt: skip

    async def command(self, *arguments: str) -> str:
        """Run ``streamer ...`` to its end and return what it prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streamer", *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=self.environ(), cwd=self.folder,
        )  # fmt: skip
        printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        expect(process.returncode == 0, f"'streamer {' '.join(arguments)}' ends with: {printed.decode()}")
        return printed.decode()

    async def end(self, number: signal.Signals) -> int:
        """Send a signal to the program and return its exit code."""
        process = self.running()
        process.send_signal(number)
        return await asyncio.wait_for(asyncio.to_thread(process.wait), PATIENCE_S)

    def running(self) -> subprocess.Popen[bytes]:
        """Return the process of the program, which must run."""
        expect(self.process is not None and self.process.poll() is None, "the program does not run")
        assert self.process is not None
        return self.process

    async def open(self, url: str) -> Page:
        """Open a page; its script errors are collected."""
        page = await self.browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        await page.goto(url)
        return page

    async def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        """Call the HTTP API with the operator's token, as a chat bot or a deck would."""
        url, _, token = self.links["Panel"].partition("/#")
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False) as client:
            return await client.request(method, path, json=body, headers={"authorization": f"Bearer {token}"})

    async def chats(self, name: str, text: str, role: str = "viewer") -> dict[str, str]:
        """Let somebody type a line in chat; return the receipt."""
        actor = {"id": f"id-of-{name}", "name": name, "role": role}
        answer = await self.ask("POST", "/api/v1/triggers", {"text": text, "actor": actor})
        receipt: dict[str, str] = answer.json()
        expect(answer.status_code == httpx.codes.OK, f"{name}'s line {text!r} is answered {receipt}")
        return receipt

    async def status(self) -> dict[str, Any]:
        """Return what a panel shows."""
        status: dict[str, Any] = (await self.ask("GET", "/api/v1/status")).json()
        return status

    async def ended(self, request_id: str) -> dict[str, Any]:
        """Wait until a request has its final state, and return it."""
        request: dict[str, Any] = {}

        async def over() -> bool:
            request.update((await self.ask("GET", f"/api/v1/requests/{request_id}")).json())
            return request.get("ended_at") is not None

        await until(over, f"a request never ended: {request}")
        return request

    async def says(self, line: str) -> None:
        """Type a chat line into the panel's form, as the streamer."""
        panel = the(self.panel)
        await panel.locator("#line").fill(line)
        await panel.get_by_role("button", name="Send", exact=True).click()

    async def on_overlay(self, layer: str, state: str, request_id: str | None = None) -> np.ndarray:
        """Wait until a layer of the overlay shows a picture, or is empty, and stands still; return the pixels."""
        named = f'[data-request="{request_id}"]' if request_id else ""
        page = the(self.overlay)
        await page.wait_for_selector(f"[data-layer={layer}][data-state={state}]{named}", state="attached")
        await until(lambda: page.evaluate("document.getAnimations().length === 0"), "the overlay never stands still")
        return pixels(await page.screenshot(omit_background=True))


def the(page: Page | None) -> Page:
    """Return a page that an earlier step has opened."""
    expect(page is not None, "the page was never opened")
    assert page is not None
    return page


def pixels(png: bytes) -> np.ndarray:
    """Decode a screenshot: rows of red, green, blue, alpha."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


async def until(fact: Callable[[], Awaitable[object]], otherwise: str) -> None:
    """Wait until something becomes true."""
    deadline = time.monotonic() + PATIENCE_S
    while not await fact():
        expect(time.monotonic() < deadline, otherwise)
        await asyncio.sleep(0.05)


def middle(shot: np.ndarray) -> np.ndarray:
    """Cut out the middle of the overlay, where no toast or badge appears."""
    height, width = shot.shape[:2]
    return shot[height // 4 : height // 2, width // 4 : 3 * width // 4]


def is_empty(shot: np.ndarray) -> bool:
    """Tell whether the overlay is transparent."""
    return bool((middle(shot)[..., 3] == 0).all())


def is_picture(shot: np.ndarray) -> bool:
    """Tell whether a picture fills the overlay: opaque, and not one flat color."""
    return bool((middle(shot)[..., 3] == 255).all() and middle(shot)[..., :3].std() > 5)


def is_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether the overlay shows the same picture in both."""
    return bool(np.abs(middle(one).astype(int) - middle(other)).mean() < 2)


async def starts(evening: Newcomer) -> None:
    """The first start prints the links of the panel and the overlay, and gets ready to draw"""
    evening.start()

    async def printed() -> bool:
        evening.running()
        evening.links = dict(re.findall(r"^(Panel|Overlay): +(\S+)$", evening.log.read_text(), re.MULTILINE))
        return len(evening.links) == 2

    await until(printed, "the links were not printed")
    await ready(evening)


async def ready(evening: Newcomer) -> None:
    """Wait until a request would be drawn at once."""

    async def draws() -> bool:
        evening.running()
        try:
            return (await evening.ask("GET", "/readyz")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    await until(draws, "the program never got ready")


async def prints_the_links_again(evening: Newcomer) -> None:
    """'streamer links' prints the same links while the program runs"""
    printed = await evening.command("links")
    for name, link in evening.links.items():
        expect(link in printed, f"the link of the {name} is not in: {printed}")


async def opens_the_overlay(evening: Newcomer) -> None:
    """The overlay link opens a transparent page"""
    evening.overlay = await evening.open(evening.links["Overlay"])
    expect(is_empty(await evening.on_overlay("background", "empty")), "something is on the overlay")


async def pastes_the_panel_link(evening: Newcomer) -> None:
    """The bare address asks for the link, and the link pasted into the same tab signs it in"""
    evening.panel = await evening.open(evening.links["Panel"].partition("#")[0])
    await evening.panel.wait_for_selector("body[data-state=out]")
    await evening.panel.goto(evening.links["Panel"])
    await evening.panel.wait_for_selector("body[data-state=connected]")
    token = evening.links["Panel"].partition("#")[2]
    expect(token not in evening.panel.url, "the token stays in the address")


async def sends_the_first_request(evening: Newcomer) -> None:
    """A line typed into the panel becomes a picture on the overlay"""
    await evening.says("!bg stormy harbour at night")
    await the(evening.panel).locator("#receipt", has_text="queued").wait_for()
    expect(is_picture(await evening.on_overlay("background", "final")), "there is no picture on the overlay")
    await the(evening.panel).locator("#layers img[src^=blob]").first.wait_for()


async def a_viewer_asks(evening: Newcomer) -> None:
    """A viewer's line becomes the next picture, and the overlay says for whom it was drawn"""
    before = await evening.on_overlay("background", "final")
    receipt = await evening.chats("ben", "!bg snowy mountain village")
    expect(receipt["outcome"] == "queued", f"ben's request is answered {receipt}")
    await the(evening.overlay).locator(".toast", has_text="drawn for ben").wait_for()
    after = await evening.on_overlay("background", "final", receipt["id"])
    expect(is_picture(after) and not is_same(before, after), "ben's picture is not on the overlay")


async def bans_the_viewer(evening: Newcomer) -> None:
    """A ban takes the viewer's picture off the overlay and refuses the next one, until it is lifted in the panel"""
    of_ben = await evening.on_overlay("background", "final")
    await evening.says("!ban ben")
    panel = the(evening.panel)
    await panel.get_by_role("button", name="Unban ben").wait_for()

    async def gone() -> bool:
        return not is_same(of_ben, await evening.on_overlay("background", "final"))

    await until(gone, "the banned viewer's picture stays on the overlay")
    receipt = await evening.chats("ben", "!bg sunny beach")
    expect((receipt["outcome"], bool(receipt["reason"])) == ("refused", True), f"ben is banned and gets {receipt}")
    await panel.get_by_role("button", name="Unban ben").click()
    await panel.mouse.move(0, 0)  # while it is over the list, the row stays as a gap
    await panel.wait_for_selector("#bans-section[hidden]", state="attached")


async def pauses(evening: Newcomer) -> None:
    """A pause refuses viewers and keeps the picture on air; Resume lets them in again"""
    panel, before = the(evening.panel), await evening.on_overlay("background", "final")
    await panel.get_by_role("button", name="Pause", exact=True).click()
    await panel.wait_for_selector("body[data-state=paused]")
    receipt = await evening.chats("ann", "!bg red desert")
    expect(
        (receipt["outcome"], receipt["rule"]) == ("refused", "paused"), f"a request in a pause is answered {receipt}"
    )
    expect(is_same(before, await evening.on_overlay("background", "final")), "the pause changed what is on air")
    await panel.get_by_role("button", name="Resume", exact=True).click()
    await panel.wait_for_selector("body[data-state=connected]")


async def chat_is_busy(evening: Newcomer) -> None:
    """Of many requests at once each is accepted, or refused with a reason; the first ones go on air"""
    receipts = [await evening.chats(f"guest{place}", f"!bg {scene}") for place, scene in enumerate(CHAT)]
    accepted = [receipt["id"] for receipt in receipts if receipt["outcome"] == "queued"]
    silent = [receipt for receipt in receipts if receipt["outcome"] != "queued" and not receipt["reason"]]
    expect(not silent, f"refused without a reason: {silent}")
    expect(len(accepted) >= 3, f"hardly anybody was accepted: {receipts}")
    first = await evening.ended(accepted[0])
    expect(first["state"] == "shown", f"the first one was not shown: {first}")
    evening.waiting = accepted[1:3]  # each of them is on air for some seconds: the others would only take longer


async def restarts(evening: Newcomer) -> None:
    """After a restart both pages are back by themselves, and whoever waited gets a picture"""
    overlay, panel = the(evening.overlay), the(evening.panel)
    expect(await evening.end(signal.SIGTERM) == 0, "SIGTERM is no clean end")
    await panel.wait_for_selector("body[data-state=lost]")
    await overlay.wait_for_selector("html[data-connection=lost]", state="attached")
    expect(is_picture(await evening.on_overlay("background", "final")), "the picture went away with the program")
    evening.start()
    await ready(evening)
    await panel.wait_for_selector("body:not([data-state=lost])")
    await overlay.wait_for_selector("html[data-connection=open]", state="attached")
    for request_id in evening.waiting:
        request = await evening.ended(request_id)
        expect(request["state"] == "shown", f"somebody waited in vain: {request}")


async def panics(evening: Newcomer) -> None:
    """Panic blanks the overlay and turns the panel into an alarm; Resume takes requests again"""
    panel = the(evening.panel)
    await panel.get_by_role("button", name="Panic: blank everything").click()
    await panel.wait_for_selector("body[data-state=panic]")
    expect(is_empty(await evening.on_overlay("background", "empty")), "the overlay is not blank")
    receipt = await evening.chats("streamer", "!bg calm sea", role="broadcaster")
    expect((receipt["outcome"], receipt["rule"]) == ("refused", "panic"), f"a request in a panic is answered {receipt}")
    await panel.get_by_role("button", name="Resume: take requests again").click()
    await panel.wait_for_selector("body[data-state=connected]")
    await evening.says("!bg calm sea")
    expect(is_picture(await evening.on_overlay("background", "final")), "nothing goes on air after the panic")


async def clears(evening: Newcomer) -> None:
    """The panel's clear empties the overlay, and undo brings the picture back"""
    panel, before = the(evening.panel), await evening.on_overlay("background", "final")
    await panel.get_by_role("button", name="clear background").click()
    expect(is_empty(await evening.on_overlay("background", "empty")), "the overlay is not empty")
    await panel.get_by_role("button", name="undo background").click()
    expect(is_same(before, await evening.on_overlay("background", "final")), "undo shows something else")


async def ends(evening: Newcomer) -> None:
    """Ctrl-C ends the program cleanly, and no page had a script error"""
    expect(await evening.end(signal.SIGINT) == 0, "Ctrl-C is no clean end")
    log = evening.log.read_text()
    expect(log.rstrip().endswith("stopped"), "the program does not say that it stopped")
    expect("Traceback" not in log, "there is a traceback in the log")
    expect(not evening.errors, f"script errors: {evening.errors}")


Step = Callable[[Newcomer], Awaitable[None]]
STEPS: tuple[Step, ...] = (
    starts, prints_the_links_again, opens_the_overlay, pastes_the_panel_link, sends_the_first_request, a_viewer_asks,
    bans_the_viewer, pauses, chat_is_busy, restarts, panics, clears, ends,
)  # fmt: skip


async def play(evening: Newcomer, steps: tuple[Step, ...]) -> str:
    """Take the steps until one fails; return its name, or "" if none did."""
    for number, step in enumerate(steps, start=1):
        began = time.monotonic()
        title = (step.__doc__ or step.__name__).splitlines()[0]
        try:
            await step(evening)
        except Exception as error:  # whatever it was, the evening ends here, with its pictures and its log
            print(f"{number:2} FAILED {time.monotonic() - began:5.1f} s  {title}: {type(error).__name__}: {error}")
            return step.__name__
        print(f"{number:2} ok     {time.monotonic() - began:5.1f} s  {title}", flush=True)
    return ""


@asynccontextmanager
async def evening_of_a_newcomer() -> AsyncIterator[Newcomer]:
    """Give a new user a home and a browser; whatever still runs is ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="newcomer-") as folder:
        async with async_playwright() as playwright:
            evening = Newcomer(Path(folder), await launch(playwright, CURRENT))
            try:
                yield evening
            finally:
                if evening.process is not None and evening.process.poll() is None:
                    evening.process.kill()
                    evening.process.wait()
                await evening.browser.close()


async def keep_evidence(evening: Newcomer, folder: Path) -> None:
    """Save a picture of each page, and the log."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    for name, page in (("panel", evening.panel), ("overlay", evening.overlay)):
        if page is not None:
            await page.screenshot(path=folder / f"{name}.png", full_page=name == "panel")
    await asyncio.to_thread(shutil.copy, evening.log, folder / "log.txt")


async def run(shots: Path, steps: tuple[Step, ...] = STEPS) -> int:
    """Play the evening, print how it went, and return the exit code."""
    began = time.monotonic()
    async with evening_of_a_newcomer() as evening:
        failed = await play(evening, steps)
        if failed:
            await keep_evidence(evening, shots)
            print(f"pictures and log: {shots}")
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"newcomer": "failed" if failed else "ok", "step": failed, "steps": len(steps), "s": seconds}))
    return 1 if failed else 0


def main() -> int:
    """Read the arguments and play the evening."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    shots = Path(tempfile.gettempdir(), "newcomer-shots")
    parser.add_argument("--shots", type=Path, default=shots, help=f"where pictures of a failure go (default {shots})")
    return asyncio.run(run(parser.parse_args().shots))


if __name__ == "__main__":
    raise SystemExit(main())
