"""A hub of models on this machine: it serves one folder as a repository, or fails in one of the real hub's ways."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REPOSITORY = "owner/name"
COMMIT = "a" * 40


class Mode(Enum):
    """What the hub does."""

    WHOLE = auto()
    WITHOUT_INDEX = auto()
    BROKEN_VAE = auto()
    GATED = auto()
    GATED_WITHOUT_ACCOUNT = auto()
    PRIVATE = auto()
    WRONG_TOKEN = auto()
    LIMITED_TOKEN = auto()
    BROKEN = auto()
    UNREACHABLE = auto()


REFUSALS: Mapping[Mode, tuple[int, str]] = {
    Mode.GATED: (403, "GatedRepo"),
    Mode.GATED_WITHOUT_ACCOUNT: (401, "GatedRepo"),
    Mode.PRIVATE: (401, "RepoNotFound"),
    Mode.WRONG_TOKEN: (401, ""),
    Mode.LIMITED_TOKEN: (403, ""),
    Mode.BROKEN: (500, ""),
}
"""The status and the X-Error-Code of every answer."""


class Hub(ThreadingHTTPServer):
    """Serve the files below a folder; ``fetched`` lists the names of those that were downloaded."""

    def __init__(self, folder: Path, mode: Mode) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.mode, self.fetched = mode, list[str]()
        self.files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        if mode is Mode.WITHOUT_INDEX:
            del self.files["model_index.json"]

    @property
    def url(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    """Answer what the hub's client asks when it downloads a snapshot."""

    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request; HEAD is the same without the body."""
        path, mode = self.path.partition("?")[0], self.server.mode
        if mode in REFUSALS:
            status, code = REFUSALS[mode]
            self._send(status, headers={"X-Error-Code": code} if code else {})
        elif path.startswith(f"/api/models/{REPOSITORY}/revision"):
            names = [{"rfilename": name} for name in self.server.files]
            self._send(200, json.dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": names}).encode())
        elif path.startswith(f"/api/models/{REPOSITORY}/tree"):
            self._send(200, json.dumps([self._entry(name) for name in self.server.files]).encode())
        elif path.startswith(f"/{REPOSITORY}/resolve/{COMMIT}/"):
            self._send_file(path.removeprefix(f"/{REPOSITORY}/resolve/{COMMIT}/"))
        else:
            self._send(404)

    do_HEAD = do_GET

    def _entry(self, name: str) -> dict[str, object]:
        size = self.server.files[name].stat().st_size
        return {"type": "file", "path": name, "size": size, "oid": _etag(name)}

    def _send_file(self, name: str) -> None:
        if self.command == "GET":
            if self.server.mode is Mode.BROKEN_VAE and name.startswith("vae/"):
                self._send(503)
                return
            self.server.fetched.append(name)
        headers = {"ETag": f'"{_etag(name)}"', "X-Repo-Commit": COMMIT}
        self._send(200, self.server.files[name].read_bytes(), headers)

    def _send(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


def _etag(name: str) -> str:
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def serving(folder: Path, mode: Mode) -> Iterator[Hub]:
    """Run a hub while the context lasts; one that is unreachable has an address and does not listen."""
    hub = Hub(folder, mode)
    if mode is Mode.UNREACHABLE:
        hub.server_close()
        yield hub
        return
    thread = threading.Thread(target=hub.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        thread.join()
        hub.server_close()
