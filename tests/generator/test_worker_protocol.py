"""The generator process as a state machine: no process, and time is a number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streamer.errors import BackendDied, BackendError, BackendLost, ContentRefused, Unsupported
from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import (
    LOADING_JOB,
    BackendUse,
    Cancel,
    DrawCommand,
    Failed,
    FasterNow,
    Heartbeat,
    JudgeUse,
    Produced,
    Progress,
    Ready,
    Standing,
    Stopped,
)
from streamer.generator.restart_policy import ExitCause, WorkerExit
from streamer.generator.worker_actions import (
    DeliverItem,
    EndWorker,
    KillWorker,
    RestartAfter,
    SendCommand,
    WorkerAction,
    WorkerState,
)
from streamer.generator.worker_protocol import WorkerProtocol
from streamer.interfaces import Abilities, Health, HealthState
from streamer.types import Frame, ImageRequest, Judgement, Outcome, Preview
from tests.support.generation import request

OPTIONS = WorkerOptions(
    restart_delays_s=(1, 5), give_up_after=3, give_up_window_s=600, step_timeout_s=10, start_timeout_s=900
)
KLEIN, PROCEDURAL = BackendUse("klein", {}), BackendUse("procedural", {})
SETUP = WorkerSetup(OPTIONS, KLEIN, ((64, 48),), Path("home"))
PREVIEW = Preview("a harbour-1", "background", 1, 4, "image/jpeg", b"small", 32, 24)
FRAME = Frame("a harbour-1", "background", "image/jpeg", b"large", 64, 48)
READY = Ready({"device": "paper"})


def idle(setup: WorkerSetup = SETUP, now: float = 0.0) -> WorkerProtocol:
    """Return a protocol whose process is ready."""
    protocol = WorkerProtocol(setup)
    protocol.start(now)
    protocol.received(READY, now)
    return protocol


def busy(wanted: ImageRequest | None = None, setup: WorkerSetup = SETUP) -> WorkerProtocol:
    """Return a protocol whose process draws job 1."""
    protocol = idle(setup)
    protocol.draw(wanted or request(), 0.0)
    return protocol


def state_of(protocol: WorkerProtocol) -> WorkerState:
    # Not protocol.state: mypy would narrow it by the first assertion and call the second one impossible.
    return protocol.state


def died(protocol: WorkerProtocol, status: int, now: float = 0.0) -> list[WorkerAction]:
    protocol.ending()
    return protocol.exited(status, now)


def delivered(actions: list[WorkerAction]) -> list[object]:
    return [action.item for action in actions if isinstance(action, DeliverItem)]


def test_a_start_names_what_to_load_and_where_the_layouts_are() -> None:
    protocol = WorkerProtocol(SETUP)
    assert protocol.health() == Health("generator", HealthState.COLD, "not started yet")
    begin = protocol.start(0.0)
    assert begin is not None
    assert (begin.backend, begin.sizes, begin.jpeg_quality) == (KLEIN, ((64, 48),), 88)
    assert begin.own_layouts == Path("home/layouts")
    assert protocol.health() == Health("generator", HealthState.COLD, "starting the klein backend")


def test_loading_shows_its_share_and_ends_with_what_is_in_use() -> None:
    protocol = WorkerProtocol(SETUP)
    protocol.start(0.0)
    assert protocol.received(Progress("reading weights", 0.99), 1.0) == []
    assert protocol.health() == Health("generator", HealthState.WARMING, "reading weights (99 %)")
    assert protocol.detail == "reading weights (99 %)"
    assert protocol.abilities.edits
    protocol.received(Ready({"device": "paper"}, Abilities(edits=False)), 2.0)
    assert protocol.health() == Health("generator", HealthState.READY, "drawing with the klein backend")
    assert protocol.active == {"backend": "klein", "device": "paper"}
    assert not protocol.abilities.edits


def test_getting_faster_shows_while_idle_and_does_not_disturb_a_drawing() -> None:
    protocol = idle()
    protocol.received(FasterNow("compiling", 0.99, {"device": "fast"}), 1.0)
    assert protocol.health().detail == "drawing with the klein backend, optimizing: compiling (99 %)"
    protocol.received(FasterNow("compiling", 1.0, {"device": "fast"}), 2.0)
    assert protocol.health().detail == "drawing with the klein backend"
    protocol.draw(request(), 3.0)
    protocol.received(FasterNow("compiling", 0.5, {"device": "faster"}), 4.0)
    assert (protocol.state, protocol.active["device"]) == (WorkerState.BUSY, "faster")


def test_a_drawing_is_handed_over_item_by_item_and_the_frame_makes_the_process_ready() -> None:
    protocol = idle()
    wanted = request()
    assert protocol.draw(wanted, 1.0) == (1, [SendCommand(DrawCommand(1, wanted))])
    assert state_of(protocol) is WorkerState.BUSY
    assert protocol.received(Produced(1, PREVIEW), 2.0) == [DeliverItem(1, PREVIEW)]
    assert state_of(protocol) is WorkerState.BUSY
    assert protocol.received(Produced(1, FRAME), 3.0) == [DeliverItem(1, FRAME)]
    assert state_of(protocol) is WorkerState.READY
    assert protocol.draw(wanted, 4.0)[0] == 2


@pytest.mark.parametrize("reply", [Produced(7, FRAME), Produced(7, PREVIEW), Stopped(7), Failed(7, "BackendError", "")])
def test_a_late_reply_to_another_job_changes_nothing(reply: Produced | Stopped | Failed) -> None:
    protocol = busy()
    assert protocol.received(reply, 1.0) == []
    assert state_of(protocol) is WorkerState.BUSY


def test_a_fault_is_raised_as_its_own_class_and_keeps_the_process() -> None:
    protocol = busy()
    (error,) = delivered(protocol.received(Failed(1, "Unsupported", "cannot edit", "draw anew"), 1.0))
    assert isinstance(error, Unsupported)
    assert str(error) == "cannot edit; draw anew"
    assert (protocol.state, protocol.restarts) == (WorkerState.READY, {})
    protocol.draw(request(), 1.0)
    (error,) = delivered(protocol.received(Failed(2, "NoSuchClass", "odd"), 1.0))
    assert type(error) is BackendError


@pytest.mark.parametrize(
    ("prepare", "limit_s"),
    [
        (lambda protocol: protocol.start(100.0), 900),
        (lambda protocol: (protocol.start(0.0), protocol.received(Progress("x", 0.1), 100.0)), 900),
        (lambda protocol: (protocol.start(0.0), protocol.received(READY, 100.0)), None),
        (lambda protocol: (protocol.start(0.0), protocol.received(READY, 1.0), protocol.draw(request(), 100.0)), 10),
        (
            lambda protocol: (
                protocol.start(0.0),
                protocol.received(READY, 1.0),
                protocol.draw(request(), 2.0),
                protocol.received(Heartbeat(), 100.0),
            ),
            10,
        ),
        (lambda protocol: (protocol.start(0.0), protocol.received(READY, 1.0), protocol.release_gpu()), None),
    ],
    ids=["starting", "loading", "idle", "drawing", "heartbeat", "leaving"],
)
def test_how_long_the_process_may_be_silent(prepare: object, limit_s: float | None) -> None:
    protocol = WorkerProtocol(SETUP)
    prepare(protocol)  # type: ignore[operator]
    assert protocol.deadline() == (None if limit_s is None else 100.0 + limit_s)


def test_silence_is_a_hang_and_costs_the_picture() -> None:
    protocol = busy()
    assert protocol.silent() == [KillWorker()]
    error, restart = died(protocol, -9, 20.0)
    assert isinstance(error, DeliverItem)
    assert isinstance(error.item, BackendDied)
    assert str(error.item) == "the klein backend hung and was killed"
    assert restart == RestartAfter(1, "the klein backend hung and was killed; restarting in 1 s")
    assert protocol.restarts == {"hang": 1}
    protocol.start(21.0)
    died(protocol, 3, 22.0)
    assert protocol.restarts == {"hang": 1, "exit": 1}, "the next process is not blamed for the hang"


def test_a_process_that_cannot_be_started_is_tried_again() -> None:
    protocol = WorkerProtocol(SETUP)
    protocol.start(0.0)
    why = "the generator process cannot be started: too many open files; restarting in 1 s"
    assert protocol.not_started("the generator process cannot be started: too many open files", 0.0) == [
        RestartAfter(1, why)
    ]
    assert protocol.restarts == {"start": 1}
    assert protocol.health() == Health("generator", HealthState.COLD, why)


def test_too_many_deaths_lead_to_the_fallback_at_once_and_the_status_says_so() -> None:
    protocol = WorkerProtocol(SETUP)
    delays = []
    for now in range(3):
        protocol.start(now)
        delays.append(died(protocol, 3, now)[-1].delay_s)  # type: ignore[union-attr]
    assert delays == [1, 5, 0.0]
    begin = protocol.start(3.0)
    assert begin is not None
    assert begin.backend == PROCEDURAL
    assert protocol.active == {
        "backend": "procedural",
        "fallback": "the klein backend ended by itself (exit status 3), the last of 3 failures within 10 minutes; "
        "drawing with the procedural backend instead",
    }
    assert protocol.health().detail.startswith("starting the procedural backend; the klein backend ended")
    died(protocol, 3, 4.0)
    assert state_of(protocol) is WorkerState.ENDED, "the fallback has a clean record"


def test_a_backend_that_cannot_run_here_is_replaced_at_once() -> None:
    protocol = WorkerProtocol(SETUP)
    protocol.start(0.0)
    assert protocol.received(Failed(LOADING_JOB, "BackendUnavailable", "no GPU", "buy one"), 1.0) == [EndWorker()]
    why = "the klein backend cannot start: no GPU; buy one; drawing with the procedural backend instead"
    assert died(protocol, 0, 1.0) == [RestartAfter(0.0, why)]
    assert protocol.restarts == {"load": 1}
    begin = protocol.start(1.0)
    assert begin is not None
    assert begin.backend == PROCEDURAL


def test_a_fallback_that_cannot_run_either_is_a_failed_generator_that_goes_on_trying() -> None:
    protocol = WorkerProtocol(replace(SETUP, backend=PROCEDURAL))
    protocol.start(0.0)
    protocol.received(Failed(LOADING_JOB, "BackendUnavailable", "no numpy"), 1.0)
    why = "the procedural backend cannot start: no numpy; restarting in 1 s"
    assert died(protocol, 0, 1.0) == [RestartAfter(1, why)]
    assert protocol.health() == Health("generator", HealthState.FAILED, why)
    assert protocol.start(2.0) is not None


def test_replies_after_a_failed_start_are_ignored() -> None:
    protocol = WorkerProtocol(SETUP)
    protocol.start(0.0)
    protocol.received(Failed(LOADING_JOB, "BackendError", "broken"), 1.0)
    assert protocol.received(READY, 2.0) == []
    assert state_of(protocol) is WorkerState.ENDED


def test_a_picture_that_killed_two_processes_is_refused() -> None:
    protocol, told = idle(), []
    note = "request boom-1 (bg) caused it again; its picture is refused for 6 h"
    for now in range(2):
        wanted = request("boom", seed=now)
        assert protocol.refusal(wanted, now) is None
        protocol.draw(wanted, now)
        told.append(note in str(died(protocol, -11, now)[-1]))
        protocol.start(now)
        protocol.received(READY, now)
    assert told == [False, True], "the streamer is told once"
    assert protocol.active["refused after crashes"] == "1 picture"
    assert isinstance(protocol.refusal(request("boom", seed=9), 2.0), ContentRefused)
    assert protocol.refusal(request("calm"), 2.0) is None


def test_cancel_stops_the_named_request_alone_and_waits_for_the_process_to_confirm() -> None:
    protocol = busy()
    assert protocol.cancel("somebody else's") == []
    deliver, send = protocol.cancel("a harbour-1")
    assert isinstance(deliver, DeliverItem)
    assert str(deliver.item) == "the drawing was stopped"
    assert send == SendCommand(Cancel(1))
    assert state_of(protocol) is WorkerState.BUSY
    assert protocol.received(Stopped(1), 1.0) == [], "its reader already has its last item"
    assert state_of(protocol) is WorkerState.READY


def test_a_reader_that_leaves_stops_its_own_job_once() -> None:
    protocol = busy()
    assert protocol.abandon(7) == []
    assert protocol.abandon(1) == [SendCommand(Cancel(1))]
    assert protocol.abandon(1) == []
    assert protocol.received(Produced(1, FRAME), 1.0) == []
    assert state_of(protocol) is WorkerState.READY


def test_parking_while_idle_ends_the_process_without_counting_a_death() -> None:
    protocol = idle()
    assert protocol.release_gpu() == [EndWorker()]
    assert protocol.health() == Health("generator", HealthState.COLD, "releasing the GPU")
    assert protocol.release_gpu() == []
    assert died(protocol, 0, 1.0) == [RestartAfter(0.0)]
    assert (protocol.start(1.0), protocol.state) == (None, WorkerState.PARKED)
    assert protocol.health().state is HealthState.PARKED
    assert (protocol.restarts, protocol.active) == ({}, {"backend": "klein"})
    protocol.reclaim_gpu()
    assert protocol.start(2.0) is not None


def test_parking_while_drawing_finishes_the_picture_first() -> None:
    protocol = busy()
    assert protocol.release_gpu() == []
    assert protocol.received(Produced(1, PREVIEW), 1.0) == [DeliverItem(1, PREVIEW)]
    assert protocol.received(Produced(1, FRAME), 2.0) == [DeliverItem(1, FRAME), EndWorker()]
    assert state_of(protocol) is WorkerState.LEAVING


def test_a_crash_while_drawing_is_a_death_even_when_parked() -> None:
    protocol = busy()
    protocol.release_gpu()
    died(protocol, -11, 1.0)
    assert protocol.restarts == {"crash": 1}
    assert (protocol.start(2.0), protocol.state) == (None, WorkerState.PARKED)


def test_the_end_of_the_program_fails_the_picture_being_drawn() -> None:
    protocol = busy()
    (error,) = delivered(protocol.close())
    assert str(error) == "the generator is stopped"
    assert protocol.health() == Health("generator", HealthState.FAILED, "the generator is stopped")
    assert protocol.close() == []


def test_a_missing_judgement_holds_unless_the_judge_is_asked_only_sometimes() -> None:
    judges = (JudgeUse("eye", {}), JudgeUse("second", {}, always=False))
    protocol = busy(setup=replace(SETUP, judges=judges, backend=BackendUse("klein", {}, ("policy_judge",))))
    answered = Judgement(Outcome.ALLOW, "", "eye", "1")
    (frame,) = delivered(protocol.received(Produced(1, replace(FRAME, judgements=(answered,))), 1.0))
    assert isinstance(frame, Frame)
    assert frame.judgements == (answered, Judgement(Outcome.HOLD, "missing", "policy_judge", ""))


ELSEWHERE = WorkerSetup(
    OPTIONS.model_copy(update={"restart_delays_s": (0.0, 2.0)}), BackendUse("remote", {}), (), Path("home"),
    fallback=BackendUse("remote", {}), worker="the worker at gpu-pc",
)  # fmt: skip
LOST = WorkerExit(ExitCause.LOST, "the connection was lost")
STANDING = Standing(True, "drawing with klein", {"backend": "klein"}, Abilities(edits=False))


def elsewhere() -> WorkerProtocol:
    """Return a protocol of a worker on another computer that draws job 1."""
    protocol = WorkerProtocol(ELSEWHERE)
    protocol.start(0.0)
    protocol.received(STANDING, 0.0)
    protocol.draw(request(), 1.0)
    return protocol


def test_a_worker_elsewhere_draws_when_it_says_so_and_what_it_says_is_shown() -> None:
    protocol = WorkerProtocol(ELSEWHERE)
    protocol.start(0.0)
    assert protocol.health() == Health("generator", HealthState.RECONNECTING, "connecting to the worker at gpu-pc")
    protocol.received(Standing(False, "reading weights (50 %)", {}), 1.0)
    assert protocol.health().state is HealthState.WARMING
    protocol.received(STANDING, 2.0)
    assert protocol.health() == Health("generator", HealthState.READY, "the worker at gpu-pc: drawing with klein")
    assert (protocol.active["backend"], protocol.abilities.edits) == ("klein", False)


def test_a_worker_elsewhere_whose_process_died_is_not_free_after_its_answer() -> None:
    protocol = elsewhere()
    protocol.received(Standing(False, "restarting in 5 s", {}), 2.0)
    assert protocol.state is WorkerState.BUSY, "until the picture has its end"
    (delivered,) = protocol.received(Failed(1, "BackendDied", "it crashed"), 2.0)
    assert isinstance(delivered, DeliverItem)
    assert type(delivered.item) is BackendDied
    assert protocol.health() == Health("generator", HealthState.WARMING, "the worker at gpu-pc: restarting in 5 s")


def test_a_lost_connection_is_not_the_pictures_fault_however_often() -> None:
    protocol = elsewhere()
    for _ in range(5):
        delivered, restart = protocol.exited(LOST, 2.0)
        assert isinstance(delivered, DeliverItem)
        assert type(delivered.item) is BackendLost
        assert isinstance(restart, RestartAfter)
        protocol.start(3.0)
        protocol.received(STANDING, 3.0)
        assert protocol.refusal(request(), 3.0) is None
        protocol.draw(request(), 3.0)
    assert protocol.restarts == {"lost": 5}


def test_a_worker_elsewhere_is_looked_for_for_ever_and_each_problem_is_told_once() -> None:
    protocol, told = elsewhere(), []
    protocol.exited(LOST, 2.0)
    for second in range(3, 33):
        protocol.start(float(second))
        (restart,) = protocol.not_started("nothing listens there", float(second))
        assert isinstance(restart, RestartAfter)
        told.append(restart.why)
        assert restart.delay_s <= 2.0
        assert protocol.health().state is HealthState.RECONNECTING
    assert told == ["nothing listens there; trying again every few seconds", *[""] * 29]
    protocol.start(40.0)
    assert "nothing listens there" in protocol.health().detail, "the panel goes on saying why"


def test_a_worker_elsewhere_that_refuses_is_quoted() -> None:
    protocol = WorkerProtocol(ELSEWHERE)
    protocol.start(0.0)
    refusal = Failed(LOADING_JOB, "BackendUnavailable", "it does not know the judge x.y", "add it there")
    assert protocol.received(refusal, 1.0) == [EndWorker()]
    (restart,) = protocol.exited(LOST, 1.0)
    assert isinstance(restart, RestartAfter)
    assert restart.why.startswith("the worker at gpu-pc cannot start: it does not know the judge x.y; add it there;")
    assert protocol.health().state is HealthState.RECONNECTING
