"""What was built runs until it is told to stop, and heeds what the command line changes meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from streamer import app, config_checks, server
from streamer.api.auth import TokenRole
from streamer.errors import ListenError
from streamer.interfaces import Health
from streamer.storage.store import Store, StoreOptions
from tests.support.clock import ManualClock
from tests.support.embedded import place
from tests.support.real_program import Remote, free_port


@asynccontextmanager
async def running(tmp_path: Path, told: list[Health]) -> AsyncIterator[httpx.AsyncClient]:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config, document = config_checks.checked_config(where := place(tmp_path), {"STREAMER_PORT": str(port)})
    built = app.build(config, document, where, {})
    task = asyncio.create_task(server.serve(built, listening, told.append))
    operator = {"Authorization": f"Bearer {built.tokens.standing[TokenRole.OPERATOR]}"}
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=operator) as client:
            yield client
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        listening.close()


async def status_with(client: httpx.AsyncClient, token: str) -> int:
    answer = await client.get("/api/v1/stage", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


async def becomes(client: httpx.AsyncClient, token: str, code: int) -> None:
    async with asyncio.timeout(10):
        while await status_with(client, token) != code:
            await asyncio.sleep(0.1)


async def test_it_answers_tells_how_the_generator_is_and_ends_when_told(tmp_path: Path) -> None:
    told: list[Health] = []
    async with running(tmp_path, told) as client:
        async with asyncio.timeout(30):
            # What is told is looked at every now and then, so it comes a moment later.
            while (await client.get("/readyz")).status_code != 200 or told[-1].state != "ready":
                await asyncio.sleep(0.05)
        assert (await client.get("/api/v1/status")).status_code == 200
    assert told[-1].state == "ready"
    assert len(told) == len({(health.state, health.detail) for health in told})


async def test_a_token_that_the_command_line_makes_opens_and_one_it_revokes_does_not(tmp_path: Path) -> None:
    async with running(tmp_path, []) as client:
        beside = Store.at(tmp_path / "home", StoreOptions())
        await beside.open()
        try:
            digest = hashlib.sha256(b"secret").hexdigest()
            assert await status_with(client, "secret") == 401
            await beside.tokens.add("another digest", "a role of a newer version", "that one")
            await beside.tokens.add(digest, "moderator", "for the test")
            await becomes(client, "secret", 200)
            await beside.tokens.delete("for the test")
            await becomes(client, "secret", 401)
        finally:
            await beside.close()


def test_a_taken_port_says_that_somebody_has_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ListenError, match="STREAMER_PORT"):
            server.listen("127.0.0.1", other.getsockname()[1])


def test_a_port_taken_by_this_very_program_is_named(served: Remote) -> None:
    with pytest.raises(ListenError, match="streamer is already running there"):
        server.listen("127.0.0.1", int(served.url.rpartition(":")[2]))


def test_a_free_port_is_bound() -> None:
    port = free_port()
    with server.listen("127.0.0.1", port) as bound:
        assert bound.getsockname()[1] == port


async def test_accepted_connections_send_at_once() -> None:
    """Nagle's delay costs the second of two messages 40 ms; asyncio ends it only where the protocol is named."""
    delays: list[int] = []

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        delays.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    bound = server.listen("127.0.0.1", 0)
    async with await asyncio.start_server(accepted, sock=bound):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        await reader.read()
        writer.close()
    assert delays == [1]


def written(logger: logging.Logger, caplog: pytest.LogCaptureFixture, times: int) -> list[str]:
    caplog.clear()
    for _ in range(times):
        logger.warning("refused %s", "somebody")
    return [record.getMessage() for record in caplog.records]


def test_a_line_that_strangers_repeat_is_written_once_a_minute_with_their_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, logger = ManualClock(), logging.getLogger("tests.repeated")
    logger.addFilter(server.RepeatedLines(clock.now))
    assert written(logger, caplog, 1000) == ["refused somebody"]
    clock.set(clock.now() + 60)
    again = "refused somebody (and 999 more times since it was last written)"
    assert written(logger, caplog, 2) == [again]
    logger.warning("another line")
    assert caplog.messages == [again, "another line"]


def test_different_errors_behind_one_line_are_all_written(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tests.repeated.errors")
    logger.addFilter(server.RepeatedLines())
    for problem in ("a", "b", "a"):
        logger.error("failed", exc_info=ValueError(problem))
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["a", "b"]
