"""Runs the real program for tests, as the command that a streamer types."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

OPERATOR = "operator-token-of-the-tests"

HEED_SIGNALS = (
    sys.executable, "-c",
    "import os, signal, sys; [signal.signal(one, signal.SIG_DFL) for one in (signal.SIGHUP, signal.SIGINT)]; "
    "os.execvp(sys.argv[1], sys.argv[1:])",
)  # fmt: skip
"""Put before a command, lets it end by hang-up and Ctrl-C although the tests themselves may run in the background."""
# Quick to draw, without cooldowns: what a test asks for is what it gets.
CONFIG = """\
policy:
  - {use: role}
  - {use: length, longest: 100}
  - {use: words, extra: [forbiddenword]}
commands:
  bg: {kind: background, layer: background, aliases: [фон], width: 640, height: 352}
  meme: {kind: meme, layer: meme, width: 256, height: 256, layout: top_bottom, seconds: 60}
  undo: {kind: undo}
  redo: {kind: redo}
  clear: {kind: clear}
  pause: {kind: pause}
  resume: {kind: resume}
  panic: {kind: panic}
  queue: {kind: queue}
  help: {kind: help}
  style: {kind: style}
  ok: {kind: approve}
  "no": {kind: deny}
  ban: {kind: ban}
  unban: {kind: unban}
  sticker: null
named_triggers: {harbour: "!bg stormy harbour"}
styles: {plain: "{prompt}", noir: "{prompt}, film noir"}
layers:
  background: {use: background, crossfade_s: 0.1}
  meme: {use: popup, z: 10, animation_s: 0.1, at_least_s: 30}
  sticker: null
"""


def free_port() -> int:
    """Ask the system for a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Remote:
    """A program that runs in its own process: its address, its state, its log, and a client that speaks as operator."""

    url: str
    home: Path
    log: Path
    client: httpx.AsyncClient = field(init=False)

    async def say(self, text: str, role: str = "broadcaster", name: str = "ann", **more: object) -> dict[str, str]:
        """Send one chat line over HTTP and return the receipt."""
        body = {"text": text, "actor": {"id": name, "name": name, "role": role}, **more}
        answer = await self.client.post("/api/v1/triggers", json=body)
        answer.raise_for_status()
        receipt: dict[str, str] = answer.json()
        return receipt

    async def ended(self, request_id: str) -> dict[str, object]:
        """Wait until a request has its terminal state and return its row."""
        for _ in range(600):
            row: dict[str, object] = (await self.client.get(f"/api/v1/requests/{request_id}")).json()
            if row.get("ended_at"):
                return row
            await asyncio.sleep(0.05)
        raise AssertionError(f"request {request_id} never ended: {row}")

    async def shown(self, text: str, role: str = "broadcaster", name: str = "ann") -> str:
        """Send a line, wait until its picture is on air, and return the request's id."""
        receipt = await self.say(text, role, name)
        assert receipt["outcome"] == "queued", receipt
        assert (await self.ended(receipt["id"]))["state"] == "shown"
        return receipt["id"]

    async def status(self) -> dict[str, Any]:
        """Return what a panel sees."""
        status: dict[str, Any] = (await self.client.get("/api/v1/status")).json()
        return status

    async def until(self, fact: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until the status fulfils something."""
        for _ in range(600):
            if fact(status := await self.status()):
                return status
            await asyncio.sleep(0.05)
        raise AssertionError(f"it never came to that: {status}")


def environment(home: Path, port: int, config: Path) -> dict[str, str]:
    """Point the program at a state directory, a port and a config of the test's own."""
    return {
        "STREAMER_HOME": str(home), "STREAMER_PORT": str(port), "STREAMER_CONFIG": str(config),
        "STREAMER_OPERATOR_TOKEN": OPERATOR,
        # Whoever runs the tests at a desk wants no browser to open.
        "CI": "true",
    }  # fmt: skip


def standing_token(program: Remote, role: str) -> str:
    """Read one of the tokens that a running program always has."""
    return (program.home / "secrets" / role).read_text()


def client(url: str) -> httpx.AsyncClient:
    """Speak to a running program as the operator."""
    return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {OPERATOR}"}, timeout=30)


@contextmanager
def command(
    *arguments: str, environ: Mapping[str, str], log: Path, errors: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``streamer ...`` as its own process; ends it like a user would (Ctrl-C).

    What it prints goes to ``log``, and what it logs to ``errors`` if that is given.
    """
    with log.open("ab") as output, (errors or log).open("ab") as error_output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamer", *arguments],
            stdout=output,
            stderr=error_output,
            env={**os.environ, **environ},
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def wait_until_ready(url: str, seconds: float = 60) -> None:
    """Wait until a program in another process would draw at once."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the program did not get ready")
