"""Measure how long a picture takes to reach 200 overlay pages while one of them stalls.

The real server (routes, hub, uvicorn with the program's flags) runs in this process; the pages are plain sockets in a
second one, which read every byte, answer what they got and note how long after ``sent_at`` it was complete. Then the
same again without the stalled page. The last line on stdout is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import time
from multiprocessing.connection import Connection

import uvicorn
from starlette.applications import Starlette

from bench import report
from streamer.overlay import wire
from streamer.overlay.hub import Hub
from streamer.overlay.layer_options import DEFAULT_LAYERS
from streamer.overlay.server import routes
from streamer.types import Frame
from tests.support.cleared_frames import cleared, opened

TOKEN = "bench"
HANDSHAKE = (
    b"GET /ws/overlay HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
BINARY = 2
BUFFER = 2**20
FRAME_BYTES = 300_000
GAP_S = 0.25
WARM_UP = 3
GOAL_P99_MS = 150.0
# A stalled page counts as free when the others are no slower than this factor, or this much, with it.
GOAL_FACTOR, GOAL_SLACK_MS = 1.25, 10.0


class _Page(asyncio.BufferedProtocol):
    """One page, as lean as Python allows: a websocket library would cost as much as the server that is measured."""

    def __init__(self, taken_ms: dict[str, list[float]]) -> None:
        self.taken_ms = taken_ms
        self.buffer = bytearray(BUFFER)
        self.filled = 0
        self.opened = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(HANDSHAKE)

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self.buffer)[self.filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self.filled += nbytes
        while (size := self._frame() if self.opened.is_set() else self._handshake()) > 0:
            self.buffer[: self.filled - size] = self.buffer[size : self.filled]
            self.filled -= size

    def _handshake(self) -> int:
        end = self.buffer.find(b"\r\n\r\n", 0, self.filled)
        if end < 0:
            return 0
        self.opened.set()
        self.say({"v": 1, "type": "hello", "token": TOKEN, "layers": None})
        return end + 4

    def _frame(self) -> int:
        """Consume one whole websocket frame and return its size; 0 if it is incomplete. Servers do not mask."""
        if self.filled < 10:
            return 0
        head = 2 + {126: 2, 127: 8}.get(self.buffer[1], 0)
        length = int.from_bytes(self.buffer[2:head], "big") if head > 2 else self.buffer[1]
        if self.filled < head + length:
            return 0
        if self.buffer[0] & 0x0F == BINARY:
            self._picture(head)
        return head + length

    def _picture(self, at: int) -> None:
        now_ms = time.time() * 1000
        header, _ = wire.decode_picture(bytes(self.buffer[at : at + 1000]))
        self.taken_ms.setdefault(str(header["request_id"]), []).append(now_ms - float(header["sent_at"]))
        self.say({"type": "painted", **{key: header[key] for key in ("seq", "request_id", "layer")}})

    def say(self, message: dict[str, object]) -> None:
        text = json.dumps(message).encode()
        # Clients must mask; a mask of zeros leaves the text as it is.
        self.transport.write(bytes((0x81, 0x80 | 126)) + len(text).to_bytes(2, "big") + bytes(4) + text)


async def _stalled(port: int) -> None:
    """Connect, say hello, acknowledge as if all were well, and never read another byte."""
    _, page = await asyncio.get_running_loop().create_connection(lambda: _Page({}), "127.0.0.1", port)
    await page.opened.wait()
    page.transport.pause_reading()
    while True:
        # Answers to pictures it has not read keep the window open, so that the server sends until the sockets are full.
        for seq in range(1, 100):
            page.say({"type": "painted", "seq": seq, "request_id": "", "layer": "background"})
        await asyncio.sleep(0.1)


async def _readers(port: int, count: int, stalled: int, done: Connection) -> dict[str, list[float]]:
    taken_ms: dict[str, list[float]] = {}
    loop = asyncio.get_running_loop()
    pages = [await loop.create_connection(lambda: _Page(taken_ms), "127.0.0.1", port) for _ in range(count)]
    sick = [asyncio.create_task(_stalled(port)) for _ in range(stalled)]
    await asyncio.to_thread(done.recv)
    for task in sick:
        task.cancel()
    for transport, _ in pages:
        transport.abort()
    return taken_ms


def _read_in_process(port: int, count: int, stalled: int, done: Connection) -> None:
    done.send(asyncio.run(_readers(port, count, stalled, done)))


async def _round(pages: int, stalled: int, frames: int) -> tuple[list[float], float, int]:
    """Serve one round; return the ages in ms, the longest time that publish() took in ms, and the pictures missed."""
    hub = opened(Hub(DEFAULT_LAYERS))
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    app = Starlette(routes=routes(hub, lambda token: token == TOKEN, report.ROOT / "web"))
    config = uvicorn.Config(
        app, ws="websockets-sansio", ws_per_message_deflate=False, ws_max_size=65536, ws_ping_interval=10,
        ws_ping_timeout=10, lifespan="off", log_level="error", timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve([listener]))
    ours, theirs = multiprocessing.Pipe()
    port = listener.getsockname()[1]
    reader = multiprocessing.get_context("spawn").Process(
        target=_read_in_process, args=(port, pages, stalled, theirs), daemon=True
    )
    reader.start()
    while hub.pages.count < pages + stalled:
        await asyncio.sleep(0.05)
    held_ms = await _publish(hub, frames)
    ours.send("done")
    taken_ms: dict[str, list[float]] = await asyncio.to_thread(ours.recv)
    reader.join()
    server.should_exit = True
    await running
    measured = [taken_ms.get(str(n), []) for n in range(WARM_UP, WARM_UP + frames)]
    missed = sum(pages - len(each) for each in measured)
    return [age for each in measured for age in each], held_ms, missed


async def _publish(hub: Hub, frames: int) -> float:
    held_ms = 0.0
    data = os.urandom(FRAME_BYTES)
    for n in range(WARM_UP + frames):
        before = time.perf_counter()
        hub.publish(cleared(Frame(str(n), "background", "image/jpeg", data, 1280, 720)))
        held_ms = max(held_ms, (time.perf_counter() - before) * 1000)
        await asyncio.sleep(GAP_S)
    return held_ms


def main() -> int:
    """Run both rounds and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--frames", type=int, default=40)
    options = parser.parse_args()
    rounds = {}
    for name, stalled in (("all_well", 0), ("one_stalled", 1)):
        ages, held_ms, missed = asyncio.run(_round(options.pages - stalled, stalled, options.frames))
        rounds[name] = {
            "p50_ms": round(statistics.median(ages), 1),
            "p99_ms": round(report.percentile(ages, 0.99), 1),
            "publish_held_max_ms": round(held_ms, 2),
            "missed": missed,
        }
        print(f"{name}: {rounds[name]}")
    metrics = {"pages": options.pages, "bytes": FRAME_BYTES, "frames": options.frames, **rounds}
    report.finish("fanout", metrics, _goals(rounds))
    return 0


def _goals(rounds: dict[str, dict[str, float]]) -> list[dict[str, object]]:
    well, sick = rounds["all_well"], rounds["one_stalled"]
    allowed = max(well["p50_ms"] * GOAL_FACTOR, well["p50_ms"] + GOAL_SLACK_MS)
    return [
        report.at_most("one_stalled.p99_ms", sick["p99_ms"], GOAL_P99_MS),
        report.at_most("one_stalled.p50_ms", sick["p50_ms"], round(allowed, 1)),
        report.at_most("one_stalled.missed", sick["missed"], 0),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
