import io
import threading

import pytest

from streamer.generator.ipc import Cancel, DrawCommand, FasterNow, Heartbeat, pack, read
from streamer.generator.judge_panel import JudgePanel
from streamer.generator.worker import CommandReader, ReplyWriter, device_is_lost, next_job, said
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

REQUEST = ImageRequest(
    "1", "bg", RequestKind.BACKGROUND, "background", "a", "a", SamplingParams(64, 48, 4, 1.0, 1),
    Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1.0,
)  # fmt: skip


def test_the_end_of_the_pipe_cancels_everything_and_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[int] = []
    monkeypatch.setattr("streamer.generator.worker.CLOSE_S", 0)
    monkeypatch.setattr("os._exit", ends.append)
    orders = CommandReader(io.BytesIO(pack(DrawCommand(1, REQUEST)) + pack(Cancel(1)) + pack(DrawCommand(2, REQUEST))))
    orders.listen()
    assert [orders.jobs.get() for _ in range(3)] == [DrawCommand(1, REQUEST), DrawCommand(2, REQUEST), None]
    assert orders.cancelled_up_to > 2
    assert ends == [0]


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (RuntimeError("CUDA error: device-side assert triggered"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), False),
        (ValueError("bad prompt"), False),
    ],
)
def test_only_errors_that_stick_to_the_device_end_the_process(error: Exception, lost: bool) -> None:
    assert device_is_lost(error) is lost


def test_an_unexpected_error_is_told_in_one_short_line() -> None:
    assert said(RuntimeError("first line\nsecond line")) == "RuntimeError: first line"
    assert said(RuntimeError()) == "RuntimeError: "
    assert len(said(RuntimeError("x" * 10_000))) == 300


class Improving:
    """A backend with three slices of work left for idle moments."""

    def __init__(self, orders: CommandReader, job_after: int) -> None:
        self.left, self._orders, self._job_after = 3, orders, job_after

    def idle(self, report: object) -> bool:
        self.left -= 1
        report(f"slice {3 - self.left}", 1 - self.left / 3)  # type: ignore[operator]
        if self.left == self._job_after:
            self._orders.jobs.put(DrawCommand(1, REQUEST))
        return self.left > 0

    def active(self) -> dict[str, str]:
        return {"left": str(self.left)}


@pytest.mark.parametrize("job_after", [0, 2])
def test_idle_moments_are_used_until_a_job_comes(job_after: int) -> None:
    orders, said_aloud = CommandReader(io.BytesIO()), io.BytesIO()
    backend = Improving(orders, job_after)
    assert next_job(backend, orders, ReplyWriter(said_aloud), JudgePanel()) == DrawCommand(1, REQUEST)  # type: ignore[arg-type]
    assert backend.left == job_after
    said_aloud.seek(0)
    heard = []
    while (answer := read(said_aloud)) is not None:
        heard.append(answer)
    assert [answer.active["left"] for answer in heard if isinstance(answer, FasterNow)] == ["2", "1", "0"][
        : 3 - job_after
    ]


def test_a_job_that_follows_at_once_does_not_wait_for_idle_work() -> None:
    orders = CommandReader(io.BytesIO())
    backend = Improving(orders, 0)
    follows = threading.Timer(0.005, orders.jobs.put, (DrawCommand(1, REQUEST),))
    follows.start()
    assert next_job(backend, orders, ReplyWriter(io.BytesIO()), JudgePanel()) == DrawCommand(1, REQUEST)  # type: ignore[arg-type]
    assert backend.left == 3
    follows.join()


def test_a_backend_that_fails_in_an_idle_moment_still_draws() -> None:
    orders = CommandReader(io.BytesIO())

    class Failing:
        def idle(self, report: object) -> bool:
            orders.jobs.put(None)
            raise RuntimeError("no compiler here")

    assert next_job(Failing(), orders, ReplyWriter(io.BytesIO()), JudgePanel()) is None  # type: ignore[arg-type]


def test_long_work_between_jobs_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.generator.worker.BEAT_S", 0.001)
    spoken = io.BytesIO()
    beaten = threading.Event()

    class Loud(ReplyWriter):
        def say(self, answer: object) -> None:
            super().say(answer)  # type: ignore[arg-type]
            beaten.set()

    with Loud(spoken).heard():
        assert beaten.wait(10)
    spoken.seek(0)
    assert read(spoken) == Heartbeat()
