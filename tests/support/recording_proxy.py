"""A real HTTP proxy on this machine: keeps what it was asked for, and stands in for everything outside.

with RecordingProxy() as proxy:      # http://127.0.0.1:<free port>
    ...                              # start whatever reads HTTP_PROXY
    proxy.asked                      # ["GET http://far.test/where", "CONNECT chat.test:443"]
"""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

FAR_AWAY = b'{"answered_by": "the proxy"}'


class RecordingProxy(ThreadingHTTPServer):
    """Answer every request as if from outside; CONNECT leads to ``tunnels_to`` if that is set, and else to nothing."""

    daemon_threads = True

    def __init__(self, tunnels_to: tuple[str, int] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.asked: list[str] = []
        self.tunnels_to = tunnels_to
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> RecordingProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Asked(BaseHTTPRequestHandler):
    server: RecordingProxy

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(FAR_AWAY)))
        self.end_headers()
        self.wfile.write(FAR_AWAY)

    do_POST = do_DELETE = do_PUT = do_GET

    def do_CONNECT(self) -> None:
        self.server.asked.append(f"CONNECT {self.path}")
        if self.server.tunnels_to is None:
            self.send_error(502)
            return
        with socket.create_connection(self.server.tunnels_to) as far:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pass_on, args=(far, self.connection), daemon=True)
            back.start()
            _pass_on(self.connection, far)
            back.join()

    def log_message(self, format: str, *args: object) -> None:
        pass


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
