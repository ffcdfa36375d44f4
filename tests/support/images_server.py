"""A server with OpenAI's images API on a real socket, that answers as the test says and remembers what it was asked."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(frozen=True, slots=True)
class Said:
    """An answer; ``pieces`` are sent one after the other, and then the connection is closed."""

    status: int = 200
    pieces: tuple[bytes, ...] = ()
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    waits: threading.Event | None = None
    """Waited for before the last piece."""


Answering = Callable[[Asked], Said]


def picture(width: int = 64, height: int = 48, format_: str = "PNG", mode: str = "RGB", seed: int = 1) -> bytes:
    """Encode a picture with something to see."""
    colours = np.random.default_rng(seed).integers(40, 220, (6, 8, len(mode)), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(colours, mode).resize((width, height), Image.Resampling.BICUBIC).save(file, format_)
    return file.getvalue()


def said_json(content: object, status: int = 200) -> Said:
    return Said(status, (json.dumps(content).encode(),))


def drawn(data: bytes) -> Said:
    """Answer with a picture in base64."""
    return said_json({"created": 1, "data": [{"b64_json": base64.b64encode(data).decode()}]})


def failed(status: int, message: str, code: str | None = None, kind: str = "invalid_request_error") -> Said:
    """Answer with an error in OpenAI's shape."""
    return said_json({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


def events(*contents: Mapping[str, object]) -> tuple[bytes, ...]:
    return tuple(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in contents)


def as_asked(asked: Asked) -> Said:
    """Draw a picture of the size that was asked for; the same words give the same one."""
    width, _, height = asked.json["size"].partition("x")
    return drawn(picture(int(width), int(height), seed=len(asked.json["prompt"])))


@dataclass
class ImagesServer:
    """Where it listens, what it says next, and everything that it was asked."""

    url: str
    answer: Answering = as_asked
    asked: list[Asked] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set when a client closed the connection while an answer was being written."""


@contextmanager
def serving() -> Iterator[ImagesServer]:
    """Serve on a port of its own."""
    state = ImagesServer("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            state.asked.append(asked)
            self._say(state.answer(asked))

        do_GET = do_POST

        def _say(self, said: Said) -> None:
            self.send_response(said.status)
            for name, value in {"content-type": said.media_type, "connection": "close", **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for number, piece in enumerate(said.pieces, start=1):
                    if number == len(said.pieces) and said.waits is not None:
                        self._wait(said.waits)
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                state.hung_up.set()

        def _wait(self, until: threading.Event) -> None:
            while not until.wait(0.02):
                self.wfile.write(b": waiting\n\n")  # fails when the client is gone
                self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
