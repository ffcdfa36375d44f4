"""Trace how a reader must jump between files to follow one chat line, and one approval, through the program.

The real program runs in this process, its worker with a scripted backend, on a config like the shipped one. Chat, an
overlay page and an HTTP client speak to it over sockets from another thread, so only the program runs in the thread of
the event loop, and only that thread is traced.

- A **walk** is the files of ``streamer/`` in the order in which the event loop's thread enters them; entering the file
  where it is already is no step. A file is entered when one of its functions is called, and when one continues after
  an await. Where awaiting functions continue inside one another, only the innermost counts: the others just pass on.
  A function counts once in a walk: whoever has read it need not read it again.
  Coming back from a call is not counted: the eye finds it again on the page it came from.
- **files** is how many different files a walk enters, **changes** how often it goes from one to another, and
  **returns** how many of these changes lead to a file that it has left before: changes = files - 1 + returns.
- What also runs while nothing happens (heartbeats) is left out: the program is watched idle first. So are the loops
  that react to any change, whatever it was: the timer, the timings of paints, and the outputs.
- The chat line's walk begins when the line is sent to the program and ends with the last entry into ``overlay/`` before
  the page has the finished picture. The approval's begins with the HTTP request and ends when it is answered and the
  page has the picture. Work of other threads (disk) and of the worker process is not seen.

Each walk is taken several times; the one with the median number of changes is reported.
Usage: python -m scripts.walk [--times 5] [--show] [--reacting time,paints,outputs]
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import os
import runpy
import signal
import socket
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import CodeType, FrameType

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.support.irc_server import IrcServer

TOKEN = "operator-token-of-the-walk"
CONFIG = """\
generator: {{use: {backend}}}
triggers: [{{use: twitch, channel: harbour, irc_url: '{irc_url}'}}]
twitch: {{emotes: {{strip: false}}}}
policy: [{{use: role}}, {{use: cooldown, user_s: 0, everyone_s: 0}}, {{use: length}}, {{use: words}}]
commands:
  bg: {{kind: background, layer: background, width: 64, height: 64, num_inference_steps: 1}}
layers:
  background: {{use: background, previews: false}}
approval: {{mode: auto, first_time: true}}
"""
IDLE_S, SETTLE_S = 3.0, 0.4
REACTING = ("time", "paints", "outputs")
"""Names of the tasks whose steps are no part of a walk; in another version of the program they may have others."""
_SUSPENDS = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


class Recorder:
    """Notes which code of the program one thread enters, as its profile function."""

    def __init__(self, package: Path, reacting: Iterable[str] = ()) -> None:
        self._package = f"{package}{os.sep}"
        self._reacting = frozenset(reacting)
        self._entries: list[tuple[CodeType, bool]] = []
        self._idle: set[CodeType] = set()
        self._on = False

    def note(self, frame: FrameType, event: str, argument: object) -> None:
        """Take one event of sys.setprofile."""
        wanted = self._on and event == "call" and frame.f_code.co_filename.startswith(self._package)
        if wanted and _task() not in self._reacting:
            self._entries.append((frame.f_code, _continues(frame)))

    @contextmanager
    def on(self) -> Iterator[None]:
        """Record meanwhile."""
        self._entries = []
        self._on = True
        try:
            yield
        finally:
            self._on = False

    def leave_out(self) -> None:
        """Leave out from now on what was recorded: it runs while nothing happens."""
        self._idle |= {code for code, _ in self._entries}

    def walk(self, until: str = "") -> list[str]:
        """Return the walk that was recorded, as paths in the package; up to the last one that begins with ``until``."""
        entries = [entry for entry in self._entries if entry[0] not in self._idle]
        steps: list[str] = []
        read: set[CodeType] = set()
        for (code, continues), following in zip(entries, [*entries[1:], None], strict=True):
            passes_on = continues and following is not None and following[1]
            path = code.co_filename.removeprefix(self._package)
            if not passes_on and code not in read:
                read.add(code)
                if not steps or steps[-1] != path:
                    steps.append(path)
        while until and steps and not steps[-1].startswith(until):
            steps.pop()
        return steps


def _task() -> str:
    """Name the task that runs now, "" outside of all."""
    with suppress(RuntimeError):
        if (task := asyncio.current_task()) is not None:
            return task.get_name()
    return ""


def _continues(frame: FrameType) -> bool:
    """Tell whether a frame goes on after an await or a yield: it stands at a RESUME whose argument is not 0."""
    return bool(frame.f_code.co_flags & _SUSPENDS) and frame.f_code.co_code[frame.f_lasti + 1] & 3 != 0


class Driver:
    """Speaks to the program as chat, page and moderator do, from a thread of its own."""

    def __init__(self, recorder: Recorder, home: Path, backend: str) -> None:
        self._recorder, self._home, self._backend = recorder, home, backend
        self.config_written = threading.Event()
        self.lines: list[list[str]] = []
        self.approvals: list[list[str]] = []
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]

    async def drive(self, times: int) -> None:
        """Take every walk so many times, after a round that only warms up."""
        async with IrcServer("harbour") as chat:
            config = CONFIG.format(backend=self._backend, irc_url=chat.url)
            (self._home / "config.yaml").write_text(config, encoding="utf-8")
            self.config_written.set()
            headers = {"authorization": f"Bearer {TOKEN}"}
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers) as client:
                await self._ready(client)
                await chat.joined()
                async with connect(f"ws://127.0.0.1:{self.port}/ws/overlay", max_size=None) as page:
                    await self._say_hello(client, page)
                    await self._take_walks(times, chat, client, page)

    async def _ready(self, client: httpx.AsyncClient) -> None:
        async with asyncio.timeout(60):
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get("/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)

    async def _say_hello(self, client: httpx.AsyncClient, page: ClientConnection) -> None:
        address: str = (await client.get("/api/v1/overlay")).json()["url"]
        hello = {"v": 1, "type": "hello", "token": address.partition("#")[2], "layers": None}
        await page.send(json.dumps(hello))

    async def _take_walks(self, times: int, chat: IrcServer, client: httpx.AsyncClient, page: ClientConnection) -> None:
        for number in range(times + 1):
            if number == 1:
                await asyncio.sleep(SETTLE_S)
                with self._recorder.on():
                    await asyncio.sleep(IDLE_S)
                self._recorder.leave_out()
            line, approval = await self._line(number, chat, page), await self._approval(number, chat, client, page)
            if number > 0:
                self.lines.append(line)
                self.approvals.append(approval)

    async def _line(self, number: int, chat: IrcServer, page: ClientConnection) -> list[str]:
        """Send the line of a viewer who has written before, and wait for its picture."""
        with self._recorder.on():
            await chat.say(f"!bg stormy harbour {number}", "ann")
            header = await _next_picture(page)
            await asyncio.sleep(SETTLE_S)
        await _acknowledge(page, header)
        return self._recorder.walk(until="overlay/")

    async def _approval(
        self, number: int, chat: IrcServer, client: httpx.AsyncClient, page: ClientConnection
    ) -> list[str]:
        """Have a newcomer's picture held, approve it over HTTP, and wait for it."""
        await chat.say(f"!bg quiet forest {number}", f"newcomer{number}", first_msg="1")
        request_id = await self._held(client)
        await asyncio.sleep(SETTLE_S)
        with self._recorder.on():
            (await client.post(f"/api/v1/requests/{request_id}/approve")).raise_for_status()
            header = await _next_picture(page)
            await asyncio.sleep(SETTLE_S)
        await _acknowledge(page, header)
        return self._recorder.walk()

    async def _held(self, client: httpx.AsyncClient) -> str:
        async with asyncio.timeout(30):
            while True:
                for held in (await client.get("/api/v1/status")).json()["held"]:
                    return str(held["request"]["id"])
                await asyncio.sleep(0.05)


async def _next_picture(page: ClientConnection) -> dict[str, object]:
    """Wait for a finished picture and return its header; the page answers later, outside the walk."""
    async with asyncio.timeout(30):
        while True:
            message = await page.recv()
            if isinstance(message, bytes):
                length = int.from_bytes(message[:4], "big")
                header: dict[str, object] = json.loads(message[4 : 4 + length])
                if header["type"] == "frame":
                    return header


async def _acknowledge(page: ClientConnection, header: dict[str, object]) -> None:
    painted = {key: header[key] for key in ("seq", "request_id", "layer")}
    await page.send(json.dumps({"type": "painted", **painted}))
    await asyncio.sleep(SETTLE_S)


def figures(walk: list[str]) -> dict[str, int]:
    """Count a walk: files, changes of file, and returns to a file already left."""
    return {"files": len(set(walk)), "changes": len(walk) - 1, "returns": len(walk) - len(set(walk))}


def median_walk(walks: list[list[str]]) -> list[str]:
    """Return the walk with the median number of changes."""
    middle = statistics.median_low(len(walk) for walk in walks)
    return next(walk for walk in walks if len(walk) == middle)


def run_program(home: Path, port: int) -> None:
    """Run ``streamer run`` in this thread until it is interrupted."""
    os.environ |= {
        "STREAMER_HOME": str(home / "state"), "STREAMER_CONFIG": str(home / "config.yaml"),
        "STREAMER_PORT": str(port), "STREAMER_OPERATOR_TOKEN": TOKEN,
    }  # fmt: skip
    sys.argv = ["streamer", "run"]
    with suppress(SystemExit, KeyboardInterrupt):
        runpy.run_module("streamer", run_name="__main__")


def package_folder() -> Path:
    """Return the folder of the program that is traced."""
    import streamer

    return Path(str(streamer.__file__)).parent


def take_walks(times: int, backend: str, home: Path, reacting: Iterable[str]) -> Driver:
    """Run the program in this thread and the driver in another."""
    recorder = Recorder(package_folder(), reacting)
    driver = Driver(recorder, home, backend)

    def drive() -> None:
        try:
            asyncio.run(driver.drive(times))
        finally:
            driver.config_written.set()
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=drive, daemon=True)
    thread.start()
    driver.config_written.wait()
    sys.setprofile(recorder.note)
    try:
        run_program(home, driver.port)
    finally:
        sys.setprofile(None)
        thread.join()
    return driver


def main() -> None:
    """Print the files of both walks and what they count, then the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--backend", default="tests.support.scripted_backend", help="module of the worker's backend")
    parser.add_argument("--reacting", default=",".join(REACTING), help="names of the tasks to leave out")
    parser.add_argument("--show", action="store_true", help="print every step, not only the files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        driver = take_walks(options.times, options.backend, Path(home), options.reacting.split(","))
    counts: dict[str, dict[str, int]] = {}
    for name, walks in (("chat line", driver.lines), ("approval", driver.approvals)):
        walk = median_walk(walks)
        counts[name] = figures(walk)
        print(f"{name}: {counts[name]}")
        for path in walk if options.show else dict.fromkeys(walk):
            print(f"    {path}")
    print(json.dumps({"script": "walk", "times": options.times, "walks": counts}))


if __name__ == "__main__":
    main()
