"""One connection to a worker: what is drawn, cancelled and told over it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from streamer.errors import BackendDied, BackendError, BackendLost, Unsupported
from streamer.generator.pool_channel import PoolChannel
from streamer.generator.supervisor import Supervisor
from streamer.interfaces import HealthState
from streamer.types import Frame, Preview
from tests.support.generation import AT_ONCE, draw, draw_leased, ready, request, running_pool
from tests.support.remote_worker import RemoteWorker, connected, listening, slot_at


async def becomes(slot: Supervisor, state: HealthState) -> None:
    async with asyncio.timeout(20):
        while slot.health().state is not state:
            await slot.change()


async def test_a_hundred_pictures_in_a_row_come_over_one_connection(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker, connected(slot_at(tmp_path, worker.port)) as slot:
        await ready(slot)
        for seed in range(100):
            *_, frame = await draw(slot, request("again", seed=seed))
            assert isinstance(frame, Frame)
            assert frame.request_id == f"again-{seed}"
        assert slot.restarts == worker.built[0].restarts == {}


async def test_a_cancelled_picture_ends_at_once_and_the_next_one_follows(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker, connected(slot_at(tmp_path, worker.port)) as slot:
        await ready(slot)
        for seed in range(5):
            pictures = slot.draw(request("endless", steps=1000, seed=seed))
            assert isinstance(await anext(pictures), Preview)
            slot.cancel(f"endless-{seed}")
            with pytest.raises(BackendError, match="stopped"):
                [item async for item in pictures]
            assert isinstance((await draw(slot, request("fine", seed=seed)))[-1], Frame)
        assert worker.built[0].restarts == {}


async def test_a_picture_that_is_left_before_its_first_preview_is_stopped_too(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker, connected(slot_at(tmp_path, worker.port)) as slot:
        await ready(slot)
        drawing = asyncio.create_task(draw(slot, request("endless", steps=1000)))
        await becomes(slot, HealthState.BUSY)
        slot.cancel("endless-1")
        with pytest.raises(BackendError, match="stopped"):
            await drawing
        await becomes(slot, HealthState.READY)
        assert isinstance((await draw(slot, request("fine")))[-1], Frame)


FAULTS = [("refuse", Unsupported, "cannot edit pictures"), ("fail", BackendError, "out of memory; use a smaller size")]


async def test_a_fault_of_one_picture_is_told_as_it_was(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker, connected(slot_at(tmp_path, worker.port)) as slot:
        await ready(slot)
        for prompt, kind, text in FAULTS:
            with pytest.raises(kind) as caught:
                await draw(slot, request(prompt))
            assert (type(caught.value), str(caught.value)) == (kind, text)
            assert isinstance((await draw(slot, request("fine")))[-1], Frame)


@pytest.mark.parametrize(("prompt", "cause"), [("segfault", "crash"), ("hang", "hang")])
async def test_a_picture_that_ends_the_process_over_there_fails_and_is_not_drawn_again(
    tmp_path: Path, prompt: str, cause: str
) -> None:
    options = AT_ONCE.model_copy(update={"step_timeout_s": 1.0})
    async with (
        listening(tmp_path / "worker", options) as worker,
        running_pool([slot_at(tmp_path, worker.port)]) as pool,
    ):
        await ready(pool)
        channel = PoolChannel(pool)
        with pytest.raises(BackendDied) as caught:
            await draw_leased(channel, request(prompt))
        assert not isinstance(caught.value, BackendLost)
        assert isinstance((await draw_leased(channel, request("fine")))[-1], Frame)
        assert (worker.built[0].restarts, pool.restarts) == ({cause: 1}, {})


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
async def test_a_process_that_is_killed_over_there_costs_no_picture(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker, running_pool([slot_at(tmp_path, worker.port)]) as pool:
        await ready(pool)
        async with PoolChannel(pool).lease(request().priority) as lease:
            assert lease is not None
            items = lease.draw(request("endless", steps=60))
            await anext(items)
            pid = worker.built[0].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            *_, frame = [item async for item in items]
        assert isinstance(frame, Frame)
        assert worker.built[0].restarts == {"killed": 1}


async def restarted(worker: RemoteWorker) -> None:
    while not worker.built[0].restarts:
        await asyncio.sleep(0.005)


async def test_a_worker_whose_process_is_away_is_given_no_picture(tmp_path: Path) -> None:
    options = AT_ONCE.model_copy(update={"restart_delays_s": (60.0,)})
    async with (
        listening(tmp_path / "worker", options) as worker,
        connected(slot_at(tmp_path, worker.port)) as slot,
    ):
        await ready(slot)
        with pytest.raises(BackendDied):
            await draw(slot, request("segfault"))
        await restarted(worker)
        assert not slot.free
        assert "restarting in 60 s" in slot.health().detail
