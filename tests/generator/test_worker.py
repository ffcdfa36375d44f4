import io
import threading
from collections.abc import Sequence
from typing import cast

import pytest

from streamer.generator.backend import Backend
from streamer.generator.ipc import Cancel, DrawCommand, FasterNow, Heartbeat, pack, read
from streamer.generator.judge_panel import JudgePanel
from streamer.generator.worker import CommandReader, ReplyWriter, expect_loras, next_job
from streamer.types import Lora
from tests.support.generation import request

REQUEST = request()


def test_the_end_of_the_pipe_cancels_everything_and_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[int] = []
    monkeypatch.setattr("streamer.generator.worker.CLOSE_S", 0)
    monkeypatch.setattr("os._exit", ends.append)
    reader = CommandReader(io.BytesIO(pack(DrawCommand(1, REQUEST)) + pack(Cancel(1)) + pack(DrawCommand(2, REQUEST))))
    reader.listen()
    assert [reader.jobs.get() for _ in range(3)] == [DrawCommand(1, REQUEST), DrawCommand(2, REQUEST), None]
    assert reader.cancelled_up_to > 2
    assert ends == [0]


class Improving:
    """A backend with three slices of work left for idle moments."""

    def __init__(self, reader: CommandReader, job_after: int) -> None:
        self.left, self._reader, self._job_after = 3, reader, job_after

    def idle(self, report: object) -> bool:
        self.left -= 1
        report(f"slice {3 - self.left}", 1 - self.left / 3)  # type: ignore[operator]
        if self.left == self._job_after:
            self._reader.jobs.put(DrawCommand(1, REQUEST))
        return self.left > 0

    def active(self) -> dict[str, str]:
        return {"left": str(self.left)}


@pytest.mark.parametrize("job_after", [0, 2])
def test_idle_work_runs_until_a_job_comes(job_after: int) -> None:
    reader, sent = CommandReader(io.BytesIO()), io.BytesIO()
    backend = Improving(reader, job_after)
    assert next_job(backend, reader, ReplyWriter(sent), JudgePanel()) == DrawCommand(1, REQUEST)  # type: ignore[arg-type]
    assert backend.left == job_after
    sent.seek(0)
    replies = []
    while (reply := read(sent)) is not None:
        replies.append(reply)
    assert [reply.active["left"] for reply in replies if isinstance(reply, FasterNow)] == ["2", "1", "0"][
        : 3 - job_after
    ]


def test_idle_work_does_not_delay_a_job_that_follows_at_once() -> None:
    reader = CommandReader(io.BytesIO())
    backend = Improving(reader, 0)
    follows = threading.Timer(0.005, reader.jobs.put, (DrawCommand(1, REQUEST),))
    follows.start()
    assert next_job(backend, reader, ReplyWriter(io.BytesIO()), JudgePanel()) == DrawCommand(1, REQUEST)  # type: ignore[arg-type]
    assert backend.left == 3
    follows.join()


def test_a_backend_whose_idle_work_fails_still_draws() -> None:
    reader = CommandReader(io.BytesIO())

    class Failing:
        def idle(self, report: object) -> bool:
            reader.jobs.put(None)
            raise RuntimeError("no compiler here")

    assert next_job(Failing(), reader, ReplyWriter(io.BytesIO()), JudgePanel()) is None  # type: ignore[arg-type]


def test_long_idle_work_sends_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.generator.worker.HEARTBEAT_S", 0.001)
    sent = io.BytesIO()
    sent_once = threading.Event()

    class Loud(ReplyWriter):
        def send(self, reply: object) -> None:
            super().send(reply)  # type: ignore[arg-type]
            sent_once.set()

    with Loud(sent).heartbeats():
        assert sent_once.wait(10)
    sent.seek(0)
    assert read(sent) == Heartbeat()


def test_a_backend_without_loras_draws_styles_by_their_words(caplog: pytest.LogCaptureFixture) -> None:
    """One that has them is told which; of any other the log names what it leaves out."""

    class WithLoras:
        expected: Sequence[Lora] = ()

        def expect_loras(self, loras: Sequence[Lora]) -> None:
            self.expected = loras

    backend, loras = WithLoras(), (Lora("a/b", 1.0, "styles.ink.lora"),)
    expect_loras(cast(Backend, backend), loras)
    assert backend.expected == loras
    assert caplog.text == ""
    expect_loras(cast(Backend, object()), ())
    assert caplog.text == ""
    expect_loras(cast(Backend, object()), loras)
    assert "this backend draws without LoRAs: styles.ink.lora" in caplog.text
