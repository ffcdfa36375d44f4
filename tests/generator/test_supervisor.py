"""The supervised generator process in every failure: real processes, real signals."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PIL import Image

from streamer.errors import BackendDied, BackendError, ContentRefused, Unsupported
from streamer.generator.ipc import PROCEDURAL, BackendUse, JudgeUse
from streamer.generator.supervisor import Supervisor, limit_previews
from streamer.interfaces import Health, HealthState
from streamer.types import Caption, Frame, ImageRequest, Lane, Preview, Role
from tests.support.generation import AT_ONCE, IMAGE_JUDGE, SCRIPTED, TEXT_JUDGE, draw, ready, request, running

IMPATIENT = AT_ONCE.model_copy(update={"step_timeout_s": 1.0})


async def judged(generator: Supervisor, prompt: str) -> list[tuple[str, str]]:
    *_, frame = await draw(generator, request(prompt))
    assert isinstance(frame, Frame)
    return [(judgement.outcome, judgement.code) for judgement in frame.judgements]


async def until(generator: Supervisor, condition: Callable[[Health], bool]) -> Health:
    """Wait until the generator's health meets a condition."""
    while not condition(generator.health()):
        await asyncio.sleep(0.005)
    return generator.health()


async def test_previews_come_first_and_exactly_one_frame_comes_last(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        *previews, frame = await draw(generator, request("a harbour"))
    assert isinstance(frame, Frame)
    assert (frame.media_type, frame.width, frame.height, frame.layer) == ("image/jpeg", 64, 48, "background")
    seen = [(item.step, bool(item.data)) for item in previews if isinstance(item, Preview)]
    assert seen == [(1, True), (2, False), (3, True), (4, False)], "a step without a picture is a preview, too"
    assert all(item.width <= 32 and item.height <= 32 for item in previews)


@pytest.mark.parametrize(
    ("role", "judged", "widths"),
    [
        (Role.VIP, False, {32}),
        (Role.MODERATOR, False, {64}),
        (Role.BROADCASTER, False, {64}),
        (Role.BROADCASTER, True, {32}),
    ],
)
async def test_only_the_trusted_and_only_without_a_judge_see_previews_above_32_pixels(
    tmp_path: Path, role: Role, judged: bool, widths: set[int]
) -> None:
    wanted = replace(request("a harbour", role=role), preview_px=500)
    async with running(tmp_path, judges=(JudgeUse(IMAGE_JUDGE, {}),) if judged else ()) as generator:
        *previews, _ = await draw(generator, wanted)
    seen = [item for item in previews if isinstance(item, Preview) and item.data]
    assert {item.width for item in seen} == widths, "the backend's own previews are 64 wide"


async def test_a_meme_is_captioned_with_the_streamers_own_layout(tmp_path: Path) -> None:
    veil = "{box: {left: 0, top: 0, right: 1, bottom: 1}, colour: '#ff0000'}"
    text = "{text: both, box: {left: 0, top: 0, right: 1, bottom: 1}}"
    (tmp_path / "layouts").mkdir()
    (tmp_path / "layouts/red.yaml").write_text(f"{{about: Red, plates: [{veil}], texts: [{text}]}}")
    async with running(tmp_path) as generator:
        *_, frame = await draw(generator, request("a cat", caption=Caption("hi", "", "red")))
        assert isinstance(frame, Frame)
        red, green, _ = Image.open(io.BytesIO(frame.data)).convert("RGB").getpixel((2, 2))  # type: ignore[misc]
        assert red > 200
        assert green < 60
        with pytest.raises(BackendError, match="no meme layout 'blue'"):
            await draw(generator, request("a cat", caption=Caption("hi", "", "blue")))


async def test_a_hundred_pictures_in_a_row_come_from_one_process(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        for seed in range(100):
            *_, frame = await draw(generator, request("again", seed=seed))
            assert isinstance(frame, Frame)
            assert frame.request_id == f"again-{seed}"
        assert generator.restarts == {}


@pytest.mark.parametrize(
    ("prompt", "cause"),
    [
        ("segfault", "crash"),
        ("abort", "crash"),
        ("exit", "exit"),
        ("exit at once", "exit"),
        ("hang", "hang"),
        ("hang hard", "hang"),
        ("lose the GPU", "gpu"),
    ],
)
async def test_a_death_fails_its_own_request_and_the_next_picture_is_drawn(
    tmp_path: Path, prompt: str, cause: str
) -> None:
    async with running(tmp_path, IMPATIENT) as generator:
        with pytest.raises(BackendDied):
            await draw(generator, request(prompt))
        assert generator.restarts == {cause: 1}
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)


FAULTS = [
    ("raise", BackendError, "ValueError: the sampler is confused"),
    ("refuse", Unsupported, "cannot edit pictures"),
    ("fail", BackendError, "out of memory; use a smaller size"),
    ("black", BackendError, "the picture came out blank"),
    ("not a number", BackendError, "the picture came out blank"),
    ("nothing", BackendError, "the backend ended without a picture"),
]


async def test_a_fault_of_one_picture_keeps_the_process(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        for prompt, error, text in FAULTS:
            with pytest.raises(error) as caught:
                await draw(generator, request(prompt))
            assert str(caught.value) == text
            assert type(caught.value) is error
            assert isinstance((await draw(generator, request("fine")))[-1], Frame)
        assert generator.restarts == {}


async def test_a_kill_from_outside_while_idle_is_followed_by_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        await draw(generator, request("fine"))
        first = generator.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert isinstance((await draw_until_done(generator, request("fine")))[-1], Frame)
        assert generator.pid not in (None, first)
        assert generator.restarts == {"killed": 1}


async def draw_until_done(generator: Supervisor, wanted: ImageRequest) -> list[Preview | Frame]:
    """Draw, and draw again if the process was already dead when it got the request."""
    try:
        return await draw(generator, wanted)
    except BackendDied:
        return await draw(generator, wanted)


async def test_kills_at_any_moment_cost_no_more_than_the_picture_being_drawn(tmp_path: Path) -> None:
    """Draw without a pause, and kill each process a little later than the one before."""
    outcomes: list[object] = []
    options = AT_ONCE.model_copy(update={"give_up_after": 99})
    async with running(tmp_path, options) as generator:
        await draw(generator, request("fine"))
        for moment in range(6):
            pid = generator.pid
            assert pid is not None
            asyncio.get_running_loop().call_later(moment * 0.002, os.kill, pid, signal.SIGKILL)
            while generator.pid in (pid, None):
                outcomes += await asyncio.gather(draw(generator, request("fine")), return_exceptions=True)
            outcomes += await asyncio.gather(draw(generator, request("other", seed=moment)))
        assert generator.restarts == {"killed": 6}
    assert all(isinstance(outcome, list | BackendError) for outcome in outcomes)


async def test_a_process_that_cannot_even_be_started_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise OSError("too many open files")

    monkeypatch.setattr("subprocess.Popen", refuse)
    async with running(tmp_path) as generator:
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)
        assert generator.restarts == {"start": 1}


async def test_a_stopped_process_counts_as_hung(tmp_path: Path) -> None:
    async with running(tmp_path, IMPATIENT) as generator:
        await draw(generator, request("fine"))
        assert generator.pid is not None
        os.kill(generator.pid, signal.SIGSTOP)
        with pytest.raises(BackendDied, match="hung"):
            await draw(generator, request("fine"))
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)


async def test_five_crashing_lines_do_not_switch_the_show(tmp_path: Path) -> None:
    outcomes: list[object] = []
    async with running(tmp_path) as generator:
        for seed in range(5):
            outcomes += await asyncio.gather(draw(generator, request("segfault", seed=seed)), return_exceptions=True)
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)
        assert "fallback" not in generator.active
        assert generator.restarts == {"crash": 2}
    assert [type(outcome) for outcome in outcomes] == [BackendDied] * 2 + [ContentRefused] * 3


async def test_repeated_deaths_lead_to_the_fallback_and_the_status_says_so(tmp_path: Path) -> None:
    options = AT_ONCE.model_copy(update={"give_up_after": 2})
    fallback = BackendUse(SCRIPTED, {})
    async with running(tmp_path, options, fallback=fallback) as generator:
        for prompt in ("exit", "abort"):
            with pytest.raises(BackendDied):
                await draw(generator, request(prompt))
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)
        assert "drawing with" in generator.active["fallback"]
        assert "instead" in generator.health().detail


async def test_a_backend_that_cannot_run_here_is_replaced_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, on_load="unavailable") as generator:
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)
        assert generator.restarts == {"load": 1}
        assert "no such GPU; buy one" in generator.active["fallback"]


async def test_an_unknown_backend_is_replaced_and_the_status_lists_the_known_names(tmp_path: Path) -> None:
    async with running(tmp_path, backend=BackendUse("no_such_backend", {})) as generator:
        await draw(generator, request("fine"))
        assert "use one of: auto" in generator.active["fallback"]


@pytest.mark.parametrize(("on_load", "cause"), [("raise", "load"), ("segfault", "crash")])
async def test_a_death_while_loading_is_tried_again_and_then_given_up(tmp_path: Path, on_load: str, cause: str) -> None:
    options = AT_ONCE.model_copy(update={"give_up_after": 2})
    async with running(tmp_path, options, on_load=on_load) as generator:
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)
        assert generator.restarts == {cause: 2}


async def test_a_start_without_progress_is_a_hang(tmp_path: Path) -> None:
    options = AT_ONCE.model_copy(update={"give_up_after": 2, "start_timeout_s": 0.5})
    async with running(tmp_path, options, on_load="hang") as generator:
        health = await until(generator, lambda health: "instead" in health.detail)
        assert "hung and was killed, the last of 2 failures within 10 minutes" in health.detail
        assert generator.restarts == {"hang": 2}


async def test_cancel_ends_the_wait_of_a_request_that_is_not_drawn_yet(tmp_path: Path) -> None:
    async with running(tmp_path, on_load="slow") as generator:
        waiting = asyncio.create_task(draw(generator, request("fine")))
        await until(generator, lambda health: health.state is HealthState.WARMING)
        generator.cancel("fine-1")
        with pytest.raises(BackendError, match="the drawing was stopped"):
            await waiting


async def test_a_fallback_that_fails_too_is_a_failed_generator_that_goes_on_trying(tmp_path: Path) -> None:
    options = AT_ONCE.model_copy(update={"restart_delays_s": (60.0,)})
    broken = BackendUse(SCRIPTED, {"on_load": "unavailable"})
    async with running(tmp_path, options, on_load="unavailable", fallback=broken) as generator:
        health = await until(generator, lambda health: health.state is HealthState.FAILED)
        assert "restarting in 60 s" in health.detail
        with pytest.raises(BackendError, match="no such GPU"):
            await draw(generator, request("fine"))


async def test_warming_up_shows_the_size_and_the_share(tmp_path: Path) -> None:
    async with running(tmp_path, on_load="slow") as generator:
        health = await until(generator, lambda health: "warming up" in health.detail)
        assert health == Health("generator", HealthState.WARMING, "warming up 64x48 (0 %)")


async def test_a_request_that_meets_a_long_start_gives_up_at_its_deadline(tmp_path: Path) -> None:
    options = AT_ONCE.model_copy(update={"deadline_s": 0.3})
    async with running(tmp_path, options, on_load="slow") as generator:
        with pytest.raises(BackendError, match="the generator is not ready"):
            await draw(generator, request("fine"))


async def test_a_picture_that_takes_too_long_is_stopped_without_a_restart(tmp_path: Path) -> None:
    options = AT_ONCE.model_copy(update={"deadline_s": 1.0})
    async with running(tmp_path, options) as generator:
        await until(generator, lambda health: health.state is HealthState.READY)
        with pytest.raises(BackendError, match="took longer than 1 s"):
            await draw(generator, request("endless", steps=10**9))
        await until(generator, lambda health: health.state is HealthState.READY)
        assert generator.restarts == {}


async def test_parking_ends_the_process_and_unparking_starts_another(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        await draw(generator, request("fine"))
        first = generator.pid
        assert first is not None
        generator.release_gpu()
        assert generator.health().state is not HealthState.READY
        health = await until(generator, lambda health: health.state is HealthState.PARKED)
        assert (psutil.pid_exists(first), generator.pid) == (False, None)
        assert "the GPU is free" in health.detail
        await asyncio.sleep(0.2)
        assert (generator.pid, generator.active) == (None, {"backend": SCRIPTED})
        generator.reclaim_gpu()
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)
        assert generator.pid not in (None, first)
        assert generator.restarts == {}


async def test_the_picture_being_drawn_is_finished_before_the_process_goes(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        pictures = generator.draw(request("fine", steps=400))
        await anext(pictures)
        generator.release_gpu()
        assert isinstance([item async for item in pictures][-1], Frame)
        await until(generator, lambda health: health.state is HealthState.PARKED)
        assert generator.pid is None


@pytest.mark.parametrize("on_load", ["slow", "hang"])
async def test_parking_ends_a_process_that_is_still_loading(tmp_path: Path, on_load: str) -> None:
    async with running(tmp_path, on_load=on_load) as generator:
        await until(generator, lambda health: health.state is HealthState.WARMING)
        generator.release_gpu()
        generator.release_gpu()
        async with asyncio.timeout(10):
            await until(generator, lambda health: health.state is HealthState.PARKED)
        assert (generator.pid, generator.restarts) == (None, {})


async def test_parking_and_unparking_at_once_restarts_without_counting_a_death(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        for _ in range(3):
            await draw(generator, request("fine"))
            generator.release_gpu()
            generator.reclaim_gpu()
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)
        assert generator.restarts == {}


async def park_while_drawing(generator: Supervisor, wanted: ImageRequest) -> None:
    async for _ in generator.draw(wanted):
        generator.release_gpu()


async def test_a_crash_of_the_last_picture_counts_as_a_death_and_still_parks(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        await draw(generator, request("fine"))
        with pytest.raises(BackendDied):
            await park_while_drawing(generator, request("segfault"))
        await until(generator, lambda health: health.state is HealthState.PARKED)
        assert generator.restarts == {"crash": 1}


async def test_closing_the_iterator_stops_the_process_between_two_steps(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        pictures = generator.draw(request("endless", steps=10**9))
        assert isinstance(await anext(pictures), Preview)
        assert generator.health().state is HealthState.BUSY
        await pictures.aclose()
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)
        assert generator.restarts == {}


async def test_cancel_ends_the_named_request_and_no_other(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        pictures = generator.draw(request("endless", steps=10**9))
        await anext(pictures)
        generator.cancel("somebody else's")
        await anext(pictures)
        generator.cancel("endless-1")
        with pytest.raises(BackendError, match="stopped"):
            [item async for item in pictures]
        assert isinstance((await draw(generator, request("fine")))[-1], Frame)


async def test_prints_go_to_the_log_and_harm_nothing_in_any_code_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    caplog.set_level(logging.INFO, logger="streamer.generator.worker")
    async with running(tmp_path) as generator:
        assert isinstance((await draw(generator, request("print")))[-1], Frame)
    lines = {record.getMessage() for record in caplog.records}
    assert {"hello from print: лес", "hello from fd 1", "hello from a subprocess", "50 %", "100 %"} <= lines


async def test_the_process_loads_neither_the_web_server_nor_torch(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        await draw(generator, request("fine"))
        assert generator.active["heavy"] == ""
        assert generator.active["backend"] == SCRIPTED


@pytest.mark.parametrize("prompt", ["fine", "hang", "hang hard"])
async def test_cancelling_run_leaves_no_process_behind(tmp_path: Path, prompt: str) -> None:
    options, before = AT_ONCE.model_copy(update={"step_timeout_s": 60}), psutil.Process().children()
    async with running(tmp_path, options) as generator:
        pictures = generator.draw(request(prompt))
        await anext(pictures)
        child = psutil.Process(generator.pid)
        await pictures.aclose()
    assert not child.is_running()
    assert psutil.Process().children() == before


async def test_a_waiting_draw_fails_when_the_generator_is_stopped(tmp_path: Path) -> None:
    options = AT_ONCE.model_copy(update={"step_timeout_s": 60})
    async with running(tmp_path, options) as generator:
        waiting = asyncio.create_task(draw(generator, request("hang")))
        await until(generator, lambda health: health.state is HealthState.BUSY)
    with pytest.raises(BackendError, match="the generator is stopped"):
        await waiting


PARENT = """
    import asyncio, sys
    from pathlib import Path
    from streamer.generator.config import WorkerSetup
    from streamer.generator.supervisor import Supervisor
    from tests.support.generation import AT_ONCE, FALLBACK, SIZES, request
    async def main():
        options = AT_ONCE.model_copy(update={"step_timeout_s": 600})
        generator = Supervisor(WorkerSetup(options, FALLBACK, SIZES, Path(sys.argv[1])))
        running = asyncio.create_task(generator.run())
        async for _ in generator.draw(request(sys.argv[2])):
            print(generator.pid, flush=True)
    asyncio.run(main())
"""


@pytest.mark.parametrize("prompt", ["hang", "hang hard"])
def test_the_process_dies_with_a_parent_that_was_killed(tmp_path: Path, prompt: str) -> None:
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path), prompt]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    psutil.wait_procs([child], timeout=60)
    assert not child.is_running()


def test_the_parent_side_imports_no_numpy() -> None:
    code = (
        "import sys, streamer.generator.supervisor; print({'numpy', 'PIL', 'torch', 'simplejpeg'} & set(sys.modules))"
    )
    path = os.pathsep.join(filter(None, sys.path))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": path})
    assert run.stdout.strip() == "set()", run.stderr


async def test_judgements_come_out_of_the_process_with_the_frame(tmp_path: Path) -> None:
    reader = JudgeUse(TEXT_JUDGE, {"block": {"forbidden": 1.0}})
    async with running(tmp_path, judges=(JudgeUse(IMAGE_JUDGE, {}), reader)) as generator:
        assert await judged(generator, "a lake") == [("allow", ""), ("hold", "red")]
        assert await judged(generator, "a forbidden lake") == [("block", "forbidden"), ("hold", "red")]
        assert generator.active[f"judge {IMAGE_JUDGE}"] == "1"


async def test_a_backend_that_cannot_change_pictures_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, backend=PROCEDURAL) as generator:
        assert generator.abilities.edits
        await ready(generator)
        assert not generator.abilities.edits


async def test_looks_that_together_take_longer_than_a_step_are_no_hang(tmp_path: Path) -> None:
    judge = JudgeUse(IMAGE_JUDGE, {"tiles": [2], "takes_s": 0.3})
    async with running(tmp_path, IMPATIENT, judges=(judge,)) as generator:
        *_, frame = await draw(generator, request("a lake"))
        assert isinstance(frame, Frame)
        assert [(judgement.outcome, judgement.code) for judgement in frame.judgements] == [("hold", "red")]
        assert not generator.restarts
        assert frame.judged_s > 1.4


async def test_a_judge_that_cannot_load_holds_every_picture_and_the_status_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, judges=(JudgeUse(IMAGE_JUDGE, {"does": "unavailable"}),)) as generator:
        assert await judged(generator, "a lake") == [("hold", "unavailable")]
        assert generator.active[f"judge {IMAGE_JUDGE}"] == "not available, holds everything: no weights; get some"


async def test_judges_outlive_a_death_of_the_process_and_the_fallback(tmp_path: Path) -> None:
    async with running(tmp_path, judges=(JudgeUse(IMAGE_JUDGE, {}),), on_load="unavailable") as generator:
        assert await judged(generator, "a lake") == [("hold", "red")]
        with pytest.raises(BackendDied):
            await draw(generator, request("segfault"))
        assert await judged(generator, "a lake") == [("hold", "red")]


async def test_a_judge_that_never_answers_holds(tmp_path: Path) -> None:
    # The backend claims a judge and never answers for it: the parent does not rely on the process here.
    use = BackendUse(SCRIPTED, {}, opinions=("policy_judge",))
    async with running(tmp_path, backend=use) as generator:
        await ready(generator)
        assert await judged(generator, "a lake") == [("hold", "missing")]


async def test_without_judges_the_status_says_that_no_model_looks(tmp_path: Path) -> None:
    async with running(tmp_path) as generator:
        assert await judged(generator, "a lake") == []
        assert generator.active["judges"].startswith("none: no model looks")


async def test_a_fallback_without_the_own_judge_of_the_backend_holds(tmp_path: Path) -> None:
    use = BackendUse(SCRIPTED, {"on_load": "unavailable"}, opinions=("policy_judge",))
    async with running(tmp_path, backend=use) as generator:
        assert await judged(generator, "a lake") == [("hold", "missing")]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("lane", list(Lane))
def test_the_role_alone_decides_how_large_previews_are(role: Role, lane: Lane) -> None:
    wanted = replace(request(role=role), priority=lane, preview_px=400)
    assert limit_previews(wanted, 32, 256).preview_px == (256 if role >= Role.MODERATOR else 32)


@pytest.mark.parametrize("role", [role for role in Role if role < Role.MODERATOR])
def test_no_setting_raises_the_limit_for_viewers(role: Role) -> None:
    wanted = request(role=role)
    assert limit_previews(wanted, 500, 500).preview_px == 32
    assert limit_previews(wanted, 16, 256).preview_px == 16


def test_trusted_previews_may_be_blurred_too() -> None:
    wanted = request(role=Role.BROADCASTER)
    assert limit_previews(wanted, 32, 32).preview_px == 32
