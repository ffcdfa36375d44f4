"""The way back from the fallback, with real processes that crash."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamer.errors import BackendDied
from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import BackendUse
from streamer.generator.ladder import Ladder
from streamer.pipeline.intake import availability
from streamer.types import Frame
from tests.support.generation import AT_ONCE, SCRIPTED, SIZES, request

FALLBACK = BackendUse(SCRIPTED, {})
SOON = AT_ONCE.model_copy(update={"give_up_after": 1, "fallback_retry_s": (0.01,), "trial_pictures": 2})
NEVER = SOON.model_copy(update={"fallback_retry_s": ()})


@asynccontextmanager
async def climbing(home: Path, options: WorkerOptions = SOON, *, on_load: str = "work") -> AsyncIterator[Ladder]:
    """Run a ladder whose wanted backend cannot load while the file ``broken`` exists."""
    use = BackendUse(SCRIPTED, {"on_load": on_load, "broken_while": str(home / "broken")})
    ladder = Ladder(WorkerSetup(options, use, SIZES, home, (), FALLBACK))
    task = asyncio.create_task(ladder.run())
    try:
        yield ladder
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(ladder: Ladder, condition: Callable[[], object]) -> None:
    while not condition():
        await ladder.change()


def on_fallback(ladder: Ladder) -> bool:
    return ladder.free and "fallback" in ladder.active


def on_trial(ladder: Ladder) -> bool:
    return ladder.free and "trial" in ladder.active


async def picture(ladder: Ladder, prompt: str = "fine") -> Frame:
    *_, frame = [item async for item in ladder.draw(request(prompt))]
    assert isinstance(frame, Frame)
    return frame


def rewards_open(ladder: Ladder) -> bool:
    return availability(True, ladder.health(), ladder.active.get("fallback")).open


async def test_a_backend_that_crashes_for_a_while_comes_back_by_itself_and_rewards_follow(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    async with climbing(tmp_path) as ladder:
        await until(ladder, lambda: on_fallback(ladder))
        assert not rewards_open(ladder)
        fallback = ladder.pid
        await until(ladder, lambda: ladder.restarts["exit"] >= 3)
        assert ladder.pid == fallback, "failed trials leave the fallback alone"
        await picture(ladder)
        (tmp_path / "broken").unlink()
        await until(ladder, lambda: on_trial(ladder))
        assert rewards_open(ladder)
        assert ladder.active["trial"] == "0 of 2 pictures"
        trial = ladder.pid
        await picture(ladder)
        assert ladder.active["trial"] == "1 of 2 pictures"
        await picture(ladder)
        await until(ladder, lambda: "trial" not in ladder.active)
        assert ladder.pid == trial, "the process of the trial draws on"
        assert not {"fallback", "next try"} & set(ladder.active)
        assert isinstance(await picture(ladder), Frame)


async def test_a_picture_that_ends_the_trial_is_drawn_by_the_fallback(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    async with climbing(tmp_path) as ladder:
        await until(ladder, lambda: on_fallback(ladder))
        (tmp_path / "broken").unlink()
        await until(ladder, lambda: on_trial(ladder))
        (tmp_path / "broken").touch()
        trial = ladder.pid
        assert trial is not None
        drawing = ladder.draw(request("endless", steps=3))
        await anext(drawing)
        os.kill(trial, signal.SIGKILL)
        assert isinstance([item async for item in drawing][-1], Frame)
        await until(ladder, lambda: on_fallback(ladder))
        assert ladder.restarts["killed"] == 1


async def test_the_trial_starts_from_anew_after_a_second_fall(tmp_path: Path) -> None:
    async with climbing(tmp_path) as ladder:
        for prompt in ("exit", "abort"):
            await until(ladder, lambda: ladder.free and not {"fallback", "trial"} & set(ladder.active))
            with pytest.raises(BackendDied):
                await picture(ladder, prompt)
            await until(ladder, lambda: on_trial(ladder))
            await picture(ladder)
            await picture(ladder)
        await until(ladder, lambda: "trial" not in ladder.active)
        assert ladder.restarts == {"exit": 1, "crash": 1}


async def test_each_failed_trial_waits_longer_and_the_status_says_until_when(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken").touch()
    async with climbing(tmp_path, SOON.model_copy(update={"fallback_retry_s": (0.01, 0.01, 3600.0)})) as ladder:
        await until(ladder, lambda: ladder.restarts.get("exit") == 3 and on_fallback(ladder))
        await until(ladder, lambda: ladder.active["next try"] != "now")
        assert re.fullmatch(r"at \d\d:\d\d:\d\d", ladder.active["next try"])
        assert f"backend is tried again {ladder.active['next try']}; the tests" in ladder.health().detail
    assert caplog.text.count("the trial of the tests.support.scripted_backend backend failed") == 2


async def test_a_backend_that_cannot_run_here_waits_longest_for_its_first_trial(tmp_path: Path) -> None:
    options = SOON.model_copy(update={"fallback_retry_s": (0.01, 3600.0)})
    async with climbing(tmp_path, options, on_load="unavailable") as ladder:
        await until(ladder, lambda: on_fallback(ladder) and "next try" in ladder.active)
        assert ladder.active["next try"] != "now"
        await picture(ladder)
        assert ladder.restarts == {"load": 1}


async def test_without_delays_nothing_is_tried(tmp_path: Path) -> None:
    async with climbing(tmp_path, NEVER, on_load="unavailable") as ladder:
        await until(ladder, lambda: on_fallback(ladder))
        await picture(ladder)
        assert "next try" not in ladder.active


async def test_no_trial_takes_the_gpu_that_was_released(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    async with climbing(tmp_path) as ladder:
        await until(ladder, lambda: on_fallback(ladder))
        (tmp_path / "broken").unlink()
        await until(ladder, lambda: on_trial(ladder))
        ladder.release_gpu()
        await until(ladder, lambda: ladder.health().state == "parked")
        ladder.reclaim_gpu()
        await until(ladder, lambda: on_trial(ladder))
        assert isinstance(await picture(ladder), Frame)
