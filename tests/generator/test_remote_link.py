"""A connection to a worker that breaks, lies or cannot be made: what the picture and the panel get."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from streamer.errors import BackendError, BackendLost
from streamer.generator.ipc import JudgeUse, Produced, Standing
from streamer.generator.pool_channel import PoolChannel
from streamer.generator.remote_link import SUBPROTOCOL, read_layouts
from streamer.generator.supervisor import Supervisor
from streamer.generator.worker_wire import MAX_BYTES, encode
from streamer.interfaces import HealthState
from streamer.types import Frame, Preview
from tests.support.generation import AT_ONCE, IMAGE_JUDGE, draw, draw_leased, ready, request, running_pool
from tests.support.lossy_network import lossy_network
from tests.support.remote_worker import connected, listening, slot_at


async def until(slot: Supervisor, detail: str) -> None:
    """Wait until the slot says something of itself."""
    async with asyncio.timeout(20):
        while detail not in slot.health().detail:
            await slot.change()


async def test_a_picture_whose_connection_breaks_is_drawn_again_when_the_worker_is_found_again(tmp_path: Path) -> None:
    async with (
        listening(tmp_path / "worker") as worker,
        lossy_network(worker.port) as network,
        running_pool([slot_at(tmp_path, network.port)]) as pool,
    ):
        await ready(pool)
        async with PoolChannel(pool).lease(request().priority) as lease:
            assert lease is not None
            items = lease.draw(request("endless", steps=60))
            await anext(items)
            network.drop()
            *_, frame = [item async for item in items]
        assert isinstance(frame, Frame)
        assert pool.restarts == {"lost": 1}
        assert len(worker.built) == 1, "the worker keeps its model"


async def test_a_network_that_carries_nothing_any_more_is_noticed_and_the_next_connection_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.generator.remote_link.PING_EVERY_S", 0.1)
    monkeypatch.setattr("streamer.generator.remote_link.PING_WAIT_S", 0.3)
    async with (
        listening(tmp_path / "worker") as worker,
        lossy_network(worker.port) as network,
        connected(slot_at(tmp_path, network.port)) as slot,
    ):
        await ready(slot)
        network.cut()
        with pytest.raises(BackendLost):
            await draw(slot, request("endless", steps=1000))
        await ready(slot)
        assert isinstance((await draw(slot, request("fine")))[-1], Frame)
        assert len(worker.built) == 1


async def test_a_worker_that_starts_later_and_again_is_found_each_time_and_its_absence_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with listening(tmp_path / "worker") as worker:
            port = worker.port
        async with connected(slot_at(tmp_path, port)) as slot:
            await until(slot, "nothing listens there")
            assert slot.health().state is HealthState.RECONNECTING
            for _ in range(2):
                async with listening(tmp_path / "worker", port=port):
                    await ready(slot)
                    assert isinstance((await draw(slot, request("fine")))[-1], Frame)
                await until(slot, "nothing listens there")
    absent = [record for record in caplog.records if "nothing listens" in record.message]
    assert len(absent) == 3


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"token": "wrong"}, "it refuses the token"),
        ({"url": "ws://no-such-computer.invalid", "trust_network": True}, "cannot be used"),
    ],
)
async def test_what_stands_in_the_way_is_said_with_the_fix(
    tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    async with (
        listening(tmp_path / "worker") as worker,
        connected(slot_at(tmp_path, worker.port, **change)) as slot,  # type: ignore[arg-type]
    ):
        await until(slot, problem)
        assert slot.health().detail.endswith("trying again every few seconds")
        with pytest.raises(BackendError, match="not ready"):
            await draw_impatiently(slot)


async def draw_impatiently(slot: Supervisor) -> None:
    slot._setup = replace(slot._setup, options=slot._setup.options.model_copy(update={"deadline_s": 0.05}))
    await draw(slot, request("fine"))


async def test_a_judge_that_has_not_looked_holds_the_picture_whatever_the_worker_says(tmp_path: Path) -> None:
    judges = (JudgeUse(IMAGE_JUDGE, {}),)

    async def careless(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(encode(Standing(True, "drawing", {})))
        await connection.recv()
        await connection.send(encode(Produced(1, Frame("", "", "image/jpeg", b"jpeg", 64, 48))))
        await connection.wait_closed()

    async with serve(careless, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL]) as liar:
        (address,) = (sock.getsockname() for sock in liar.sockets)
        async with connected(slot_at(tmp_path, address[1], judges=judges)) as slot:
            await ready(slot)
            *_, frame = await draw(slot, request("a lake"))
            assert isinstance(frame, Frame)
            assert [(found.outcome, found.code) for found in frame.judgements] == [("hold", "missing")]


async def test_bytes_that_cannot_be_read_end_the_connection_and_the_reason_is_told(tmp_path: Path) -> None:
    async def garbled(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(b"\x80\x04pickle")
        await connection.wait_closed()

    async with serve(garbled, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL]) as server:
        (address,) = (sock.getsockname() for sock in server.sockets)
        async with connected(slot_at(tmp_path, address[1])) as slot:
            await until(slot, "it sent what cannot be read: the message is of version 128")


async def test_a_picture_that_is_too_large_to_be_sent_fails_alone(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker, connected(slot_at(tmp_path, worker.port)) as slot:
        await ready(slot)
        with pytest.raises(BackendError, match="too large to be sent"):
            await draw(slot, replace(request("edit"), reference=bytes(MAX_BYTES)))
        assert isinstance((await draw(slot, request("fine")))[-1], Frame)
        assert slot.restarts == {}


async def test_previews_keep_the_size_that_this_computer_allows(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker, connected(slot_at(tmp_path, worker.port)) as slot:
        await ready(slot)
        items = await draw(slot, request("a lake"))
        assert {item.width for item in items if isinstance(item, Preview) and item.data} == {32}


def test_layouts_that_can_be_read_are_sent(tmp_path: Path) -> None:
    (tmp_path / "red.yaml").write_text("about: Röd", encoding="utf-8")
    (tmp_path / "bad.yaml").write_bytes(b"\xff")
    (tmp_path / "notes.txt").write_text("no layout")
    assert read_layouts(tmp_path) == {"red": "about: Röd"}
    assert read_layouts(tmp_path / "missing") == {}


async def test_a_pool_of_two_computers_draws_on_both(tmp_path: Path) -> None:
    async with listening(tmp_path / "one") as one, listening(tmp_path / "two") as two:
        slots = [slot_at(tmp_path, one.port), slot_at(tmp_path, two.port, options=AT_ONCE)]
        async with running_pool(slots) as pool:
            while not all(slot.free for slot in slots):
                await asyncio.sleep(0.005)
            pictures = [draw_leased(PoolChannel(pool), request("endless", steps=30, seed=seed)) for seed in (1, 2)]
            assert all(isinstance(items[-1], Frame) for items in await asyncio.gather(*pictures))
        assert (len(one.built), len(two.built)) == (1, 1)
