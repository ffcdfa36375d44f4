"""Measure how soon a panic blanks the page, and whether a killed generator restarts, while strangers attack the server.

The program, each attacker and the measurement are processes of their own. Attackers have no token and come from the
same address as the streamer. Every panic opens a new connection. With --program, checkouts are measured in turn, so
that an earlier commit can be compared in one run.
Usage: python -m bench.strangers [--rounds 40] [--attack half --attack pings ...] [--program DIR --program DIR ...]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import selectors
import signal
import socket
import struct
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

import psutil
from websockets.asyncio.client import connect

from bench import report
from streamer.overlay import wire
from tests.support.embedded import OverlayPage
from tests.support.real_program import OPERATOR, environment, free_port, wait_until_ready
from tests.support.waiting import until

LOCAL = "127.0.0.1"
DESCRIPTORS = 1024
"""What Linux gives a program unless it asks for more."""
PANIC_WITHIN_S = 10.0
RESTART_WITHIN_S = 20.0
CONFIG = """\
generator: {use: procedural}
commands:
  bg: {kind: background, layer: background, width: 256, height: 144}
layers:
  background: {use: background}
approval: {mode: "off"}
"""
UPGRADE = (
    "GET /ws/overlay HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PING = struct.pack("!BBI", 0x89, 0x80, 0)
"""An empty ping, masked with zeros: six bytes."""
LARGE_PING = struct.pack("!BBI", 0x89, 0x80 | 125, 0) + bytes(125)


def opened(port: int, first: bytes, source: str = "", *, half_closes: bool = False) -> socket.socket:
    """Connect, from an address of this computer if one is given, and send; the socket does not block afterwards."""
    with suppress(OSError):
        connection = socket.create_connection((LOCAL, port), 2, (source, 0) if source else None)
        connection.setblocking(False)
        with suppress(BlockingIOError):
            connection.send(first)
        if half_closes:
            connection.shutdown(socket.SHUT_WR)
        return connection
    return socket.socket()


def keep_open(
    port: int, count: int, first: bytes, more: bytes = b"", every_s: float = 1.0, *, sources: int = 1,
    half_closes: bool = False,
) -> None:  # fmt: skip
    """Hold ``count`` connections that sent ``first``, send ``more`` on each now and then, and replace closed ones.

    They come from ``sources`` addresses in turn.
    """
    addresses = itertools.cycle([f"127.1.0.{number}" for number in range(1, sources + 1)] if sources > 1 else [""])
    with closing(selectors.DefaultSelector()) as selector:

        def add() -> None:
            connection = opened(port, first, next(addresses), half_closes=half_closes)
            selector.register(connection, selectors.EVENT_READ)

        for _ in range(count):
            add()
        more_at = time.monotonic() + every_s
        while True:
            for key, _ in selector.select(0.05):
                if not still_open(key.fileobj):  # type: ignore[arg-type]
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]
                    add()
            if more and time.monotonic() > more_at:
                more_at += every_s
                for key in list(selector.get_map().values()):
                    with suppress(OSError):
                        key.fileobj.send(more)  # type: ignore[union-attr]


def still_open(connection: socket.socket) -> bool:
    with suppress(BlockingIOError):
        try:
            return bool(connection.recv(65536))
        except ConnectionError:
            return False
    return True


def flood(port: int, first: bytes, again: bytes, *, read: bool) -> None:
    """Send ``again`` on one connection as fast as the server takes it; connect again when it is closed."""
    while True:
        with suppress(OSError), closing(socket.create_connection((LOCAL, port), 2)) as connection:
            connection.sendall(first)
            time.sleep(0.05)
            while True:
                connection.send(again)
                if read:
                    with suppress(BlockingIOError):
                        if not connection.recv(1 << 20, socket.MSG_DONTWAIT):
                            break


def churn(port: int, first: bytes, lingering: int = 0) -> None:
    """Connect, send and close, as fast as one core can; the newest ``lingering`` connections stay open."""
    open_now: deque[socket.socket] = deque()
    while True:
        open_now.append(opened(port, first))
        if len(open_now) > lingering:
            open_now.popleft().close()


def busy() -> None:
    """Use one core and send nothing: what an attack on the same machine costs in any case."""
    while True:
        pass


def attacks(port: int) -> dict[str, Callable[[], None]]:
    """Return what a stranger may do, by name."""
    host = f"Host: 127.0.0.1:{port}\r\n"
    half = f"POST /api/v1/panic HTTP/1.1\r\n{host}X-Half: ".encode()
    body = f"POST /api/v1/triggers HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{{"
    get = f"GET /healthz HTTP/1.1\r\n{host}\r\n".encode()
    upgrade = UPGRADE.format(port=port).encode()
    many_headers = f"GET /healthz HTTP/1.1\r\n{host}".encode() + b"a:1\r\n" * 3000 + b"\r\n"
    query = f"GET /trigger/x?{'&a' * 7000} HTTP/1.1\r\n{host}\r\n".encode()
    schema = f"GET /api/openapi.json HTTP/1.1\r\n{host}\r\n".encode()
    json_body = body.replace("60000", "60001").encode()[:-1] + b"[" + b"{}," * 20_000
    return {
        "none": signal.pause,
        "busy": busy,
        "half": lambda: keep_open(port, 1300, half),
        "drip": lambda: keep_open(port, 1300, half, b"a", 0.5),
        "body": lambda: keep_open(port, 1300, body.encode(), b" ", 0.5),
        "silent": lambda: keep_open(port, 1300, upgrade),
        "pings": lambda: flood(port, upgrade, PING * 10_000, read=True),
        "unread": lambda: flood(port, upgrade, LARGE_PING * 500, read=False),
        "pipeline": lambda: flood(port, b"", get * 1000, read=True),
        "requests": lambda: keep_open(port, 64, get, get, 0.01),
        "headers": lambda: keep_open(port, 64, many_headers, many_headers, 0.01),
        "query": lambda: keep_open(port, 64, query, query, 0.01),
        "schema": lambda: keep_open(port, 64, schema, schema, 0.01),
        "json": lambda: keep_open(port, 64, json_body, json_body, 0.01),
        "half-closed": lambda: keep_open(port, 600, half, half_closes=True),
        "sources": lambda: keep_open(port, 1300, half, sources=250),
        "large-heads": lambda: churn(port, (half[:-4] + b"\nX" * 8000)[:16_000], lingering=300),
        "churn": lambda: churn(port, b""),
        "churn-half": lambda: churn(port, half),
    }


@contextmanager
def process(*command: str, cwd: Path, log: Path, descriptors: int = 8192, **environ: str) -> Iterator[psutil.Popen]:
    """Run a Python module from a checkout until the block ends."""
    limited = f'ulimit -Sn {descriptors}; exec "$0" "$@"'
    with log.open("ab") as output:
        running = psutil.Popen(
            ["bash", "-c", limited, sys.executable, "-m", *command], cwd=cwd, stdout=output, stderr=output,
            env={**os.environ, "PYTHONPATH": str(cwd), **environ},
        )  # fmt: skip
    try:
        yield running
    finally:
        for child in running.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
        running.kill()
        running.wait()


class Streamer:
    """The streamer: panics over new connections, watches the page, and knows the program's processes."""

    def __init__(self, program: psutil.Popen, port: int, page: OverlayPage) -> None:
        self._program, self._port, self._page = program, port, page

    async def ask(self, method: str, path: str) -> bool:
        """Ask on a new connection; tell whether the program did it."""
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(LOCAL, self._port)
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: {LOCAL}:{self._port}\r\nAuthorization: Bearer {OPERATOR}\r\n"
                "Connection: close\r\nContent-Length: 0\r\n\r\n".encode()
            )
            answer = await reader.read(1 << 16)
            writer.close()
            return answer.startswith(b"HTTP/1.1 20")
        return False

    async def panic(self) -> float:
        """Panic; return the milliseconds until the page is blank, or those of the longest wait."""
        started = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(PANIC_WITHIN_S):
                while not await self.ask("POST", "/api/v1/panic"):
                    await asyncio.sleep(0.01)
                await until(lambda: self._page.cleared_at > started, poll_s=0.001)
                return (self._page.cleared_at - started) * 1000
        return PANIC_WITHIN_S * 1000

    async def kill_generator(self) -> float:
        """Kill the generator; return the seconds until another one is ready, or those of the longest wait."""
        started = time.monotonic()
        workers = self._program.children()
        for worker in workers:
            worker.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(RESTART_WITHIN_S):
                while not (set(self._program.children()) - set(workers) and await self.ask("GET", "/readyz")):
                    await asyncio.sleep(0.05)
                return time.monotonic() - started
        return RESTART_WITHIN_S


@asynccontextmanager
async def running(checkout: Path, folder: Path) -> AsyncIterator[tuple[Streamer, int]]:
    """Run a checkout's program with one overlay page."""
    config, port = folder / "config.yaml", free_port()
    config.write_text(CONFIG, encoding="utf-8")
    with process("streamer", "run", cwd=checkout, log=folder / "log", descriptors=DESCRIPTORS,
                 **environment(folder / "home", port, config)) as program:  # fmt: skip
        await asyncio.to_thread(wait_until_ready, f"http://{LOCAL}:{port}")
        async with connect(f"ws://{LOCAL}:{port}/ws/overlay", max_size=None, ping_timeout=None, proxy=None) as socket:
            token = (folder / "home" / "secrets" / "overlay").read_text()
            await socket.send(wire_hello(token))
            page = OverlayPage(socket)
            reading = asyncio.create_task(page.read())
            yield Streamer(program, port, page), port
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def wire_hello(token: str) -> str:
    return f'{{"v": {wire.PROTOCOL}, "type": "hello", "token": "{token}", "layers": null}}'


async def measure(checkout: Path, attack: str, rounds: int) -> dict[str, object]:
    """Attack one checkout's program; return panic times, the time of a restart and how much was logged."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        async with running(checkout, folder) as (streamer, port):
            here = ("bench.strangers", "--attacker", attack, "--port", str(port))
            with process(*here, cwd=report.ROOT, log=folder / "attacker"):
                await asyncio.sleep(3)
                panics = []
                for _ in range(rounds):
                    panics.append(await streamer.panic())
                    if panics[-1] >= PANIC_WITHIN_S * 1000 and len(panics) >= 3:
                        break
                    await asyncio.sleep(0.05)
                restart_s = await streamer.kill_generator()
        lines = len((folder / "log").read_bytes().splitlines())
    return {"panic_ms": report.spread(panics), "worst_ms": round(max(panics)), "restart_s": round(restart_s, 2),
            "log_lines": lines}  # fmt: skip


def main() -> None:
    """Measure each attack on each checkout and print the JSON line; or be the attacker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--attack", action="append", choices=list(attacks(0)))
    parser.add_argument("--program", type=Path, action="append", help="a checkout; the last one has to meet the goals")
    parser.add_argument("--attacker", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.attacker:
        attacks(chosen.port)[chosen.attacker]()
        return
    checkouts = [path.resolve() for path in chosen.program or [report.ROOT]]
    metrics, goals = {}, []
    for attack in chosen.attack or attacks(0):
        for checkout in checkouts:
            found = asyncio.run(measure(checkout, attack, chosen.rounds))
            print(f"{attack:<11} {checkout.name:<10} {found}", file=sys.stderr, flush=True)
            metrics[f"{attack} {checkout.name}"] = found
        goals.append(report.at_most(f"{attack}: panic to blank p99 ms", found["panic_ms"]["p99"], 100))  # type: ignore[index]
        goals.append(report.at_most(f"{attack}: generator ready again s", found["restart_s"], 10))  # type: ignore[arg-type]
    report.finish("strangers", metrics, goals, rounds=chosen.rounds)


if __name__ == "__main__":
    main()
