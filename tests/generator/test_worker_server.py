"""A worker that listens: whom it draws for, whom it refuses, and what stays loaded."""

from __future__ import annotations

import asyncio
import logging
import random
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from streamer import server
from streamer.errors import BackendUnavailable
from streamer.generator.ipc import Failed, Heartbeat, JudgeUse, Standing, Start
from streamer.generator.remote_link import SUBPROTOCOL
from streamer.generator.supervisor import Supervisor
from streamer.generator.worker_server import WorkerServer
from streamer.generator.worker_wire import HomeMessage, decode_for_home, encode
from streamer.types import Caption, Frame
from tests.support.generation import TEXT_JUDGE, draw, ready, request
from tests.support.lossy_network import lossy_network
from tests.support.remote_worker import TOKEN, connected, listening, slot_at

ONE, OTHER = (Start(home * 16, ((64, 48),), 88, (), {}) for home in "1f")


def program(port: int, token: str = TOKEN, protocol: str = SUBPROTOCOL, **more: object) -> connect:
    headers = {"Authorization": f"Bearer {token}"}
    return connect(
        f"ws://127.0.0.1:{port}", additional_headers=headers, subprotocols=[protocol], **more,  # type: ignore
    )  # fmt: skip


async def hears(connection: ClientConnection) -> HomeMessage:
    """Return the next message that is no heartbeat."""
    while isinstance(message := decode_for_home(await connection.recv(decode=False)), Heartbeat):
        pass
    return message


async def starts(connection: ClientConnection, start: Start) -> HomeMessage:
    await connection.send(encode(start))
    return await hears(connection)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"token": "wrong"}, 401),
        ({"token": ""}, 401),
        ({"token": TOKEN + "x"}, 401),
        ({"protocol": "streamer-worker-99"}, 426),
        ({"origin": "https://evil.example"}, 403),
    ],
)
async def test_whoever_has_no_token_another_version_or_is_a_web_page_is_refused(
    tmp_path: Path, change: dict[str, str], status: int
) -> None:
    async with listening(tmp_path / "worker") as worker:
        with pytest.raises(InvalidStatus) as caught:
            await program(worker.port, **change)
        assert caught.value.response.status_code == status
        assert worker.built == []


async def test_a_flood_of_wrong_tokens_writes_few_lines_and_none_of_them_the_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(tmp_path / "worker") as worker:
        for _ in range(20):
            with pytest.raises(InvalidStatus):
                await program(worker.port, token="guess")
    lines = [record.message for record in caplog.records if "right token" in record.message]
    assert len(lines) == 5
    assert not any("guess" in line or TOKEN in line for line in lines)


@pytest.mark.parametrize("sent", [b"garbage", "text", encode(Start("0" * 16, (), 88, (), {}))[:-1]])
async def test_a_first_message_that_is_none_ends_the_connection_and_the_worker_goes_on(
    tmp_path: Path, sent: bytes | str
) -> None:
    async with listening(tmp_path / "worker") as worker:
        async with program(worker.port) as connection:
            await connection.send(sent)
            with pytest.raises(ConnectionClosed):
                await connection.recv()
        async with program(worker.port) as connection:
            assert isinstance(await starts(connection, ONE), Standing)


async def test_nothing_that_a_program_sends_later_ends_the_worker(tmp_path: Path) -> None:
    chance = random.Random(5)
    async with listening(tmp_path / "worker") as worker:
        for sent in (encode(ONE), b"", *(chance.randbytes(chance.randint(1, 300)) for _ in range(20))):
            async with program(worker.port) as connection:
                assert isinstance(await starts(connection, ONE), Standing)
                await connection.send(sent)
                await connection.wait_closed()
        async with program(worker.port) as connection:
            assert isinstance(await starts(connection, ONE), Standing)
        assert len(worker.built) == 1


async def test_a_second_program_is_refused_while_the_first_one_is_there(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker, program(worker.port) as first:
        assert isinstance(await starts(first, ONE), Standing)
        reading = asyncio.create_task(first.wait_closed())
        async with program(worker.port) as second:
            assert await starts(second, OTHER) == Failed(0, "BackendError", "it draws for another program")
        assert not reading.done()
        await first.close()
        async with program(worker.port) as third:
            assert isinstance(await starts(third, OTHER), Standing)
        await reading


async def test_a_second_program_takes_the_place_of_one_that_is_gone_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.generator.worker_server.ALIVE_S", 0.2)
    async with (
        listening(tmp_path / "worker") as worker,
        lossy_network(worker.port) as network,
        program(network.port, close_timeout=0.1) as first,
    ):
        assert isinstance(await starts(first, ONE), Standing)
        network.cut()
        async with program(worker.port) as second:
            assert isinstance(await starts(second, OTHER), Standing)


async def test_the_same_program_takes_its_own_place_again_at_once(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker, program(worker.port) as first:
        assert isinstance(await starts(first, ONE), Standing)
        async with program(worker.port) as again:
            assert isinstance(await starts(again, ONE), Standing)
            await first.wait_closed()
        assert len(worker.built) == 1


async def test_the_model_is_loaded_again_only_when_something_else_is_asked_for(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker:
        pids = []
        for judges in ((), (), (JudgeUse(TEXT_JUDGE, {}),)):
            async with connected(slot_at(tmp_path, worker.port, judges=judges)) as slot:
                await ready(slot)
                assert isinstance((await draw(slot, request("fine")))[-1], Frame)
                pids.append(worker.built[-1].pid)
        assert pids[0] == pids[1] != pids[2]
        assert len(worker.built) == 2
        assert all(start.home == "" for start in worker.starts)


async def test_a_worker_that_cannot_do_what_is_asked_says_why(tmp_path: Path) -> None:
    def refuse(start: Start, layouts: Path) -> Supervisor:
        raise BackendUnavailable("it does not know the judge x.y", fix="add it")

    with server.listen("127.0.0.1", 0) as bound:
        bound.listen()
        serving = asyncio.create_task(WorkerServer(TOKEN, refuse, tmp_path).run(bound))
        try:
            async with program(bound.getsockname()[1]) as connection:
                expected = Failed(0, "BackendUnavailable", "it does not know the judge x.y", "add it")
                assert await starts(connection, ONE) == expected
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def test_a_meme_in_the_users_own_layout_is_drawn_there_as_here(tmp_path: Path) -> None:
    veil = "{box: {left: 0, top: 0, right: 1, bottom: 1}, colour: '#ff0000'}"
    text = "{text: both, box: {left: 0, top: 0, right: 1, bottom: 1}}"
    (tmp_path / "layouts").mkdir()
    (tmp_path / "layouts/red.yaml").write_text(f"{{about: Red, plates: [{veil}], texts: [{text}]}}")
    async with listening(tmp_path / "worker") as worker, connected(slot_at(tmp_path, worker.port)) as slot:
        await ready(slot)
        *_, frame = await draw(slot, request("a cat", caption=Caption("hi", "", "red")))
        assert isinstance(frame, Frame)


async def test_stopping_the_worker_ends_its_process(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with listening(tmp_path / "worker") as worker:
            async with connected(slot_at(tmp_path, worker.port)) as slot:
                await ready(slot)
                await draw(slot, request("a secret harbour"))
            assert worker.built[-1].pid is not None
        assert worker.built[-1].pid is None
    assert "secret harbour" not in caplog.text
