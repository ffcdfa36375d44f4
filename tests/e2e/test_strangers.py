"""Strangers who use up every connection take neither panic nor the generator's restart away."""

from __future__ import annotations

import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.real_program import Remote, client, command, environment, free_port, wait_until_ready
from tests.support.waiting import until

OPEN_FILES = 160
STRANGERS = 400


@contextmanager
def strangers(port: int) -> Iterator[list[socket.socket]]:
    """Hold many connections, each with half a request."""
    opened: list[socket.socket] = []
    try:
        for _ in range(STRANGERS):
            opened.append(socket.create_connection(("127.0.0.1", port), 10))
            opened[-1].sendall(b"POST /api/v1/panic HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        yield opened
    finally:
        for each in opened:
            each.close()


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")
async def test_with_every_descriptor_wanted_by_strangers_a_killed_generator_returns_and_panic_works(
    config_file: Path, tmp_path: Path
) -> None:
    port = free_port()
    environ = environment(tmp_path / "home", port, config_file)
    log = tmp_path / "log"
    with command("run", environ=environ, log=log) as program:
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        wait_until_ready(f"http://127.0.0.1:{port}")
        remote, process = Remote(f"http://127.0.0.1:{port}", tmp_path / "home", log), psutil.Process(program.pid)
        with strangers(port):
            (worker,) = process.children()
            worker.kill()
            await until(lambda: [child.pid for child in process.children() if child.pid != worker.pid])
            async with client(remote.url) as remote.client:
                await remote.until(lambda status: status["generator"]["state"] == "ready")
                assert (await remote.client.post("/api/v1/panic")).status_code == 204
                assert (await remote.status())["panicked"]
                metrics = (await remote.client.get("/metrics")).text
            assert process.num_fds() <= OPEN_FILES - 20
    assert 'streamer_connections_closed_total{reason="crowded"}' in metrics
    assert len(log.read_bytes().splitlines()) < 60
