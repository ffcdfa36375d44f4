"""A blocking call as an iterator of its steps, on one thread."""

from __future__ import annotations

import threading

import pytest

from streamer.generator.pipelines.steps import CallThread, Steps, StoppedError


def test_what_the_call_hands_over_comes_first_and_its_result_last() -> None:
    thread = CallThread()

    def call(steps: Steps[int]) -> int:
        for number in range(3):
            steps.emit(number)
        return 99

    assert list(thread.steps(call)) == [0, 1, 2, 99]
    thread.close()


def test_everything_runs_on_one_thread_that_is_not_the_caller_s() -> None:
    thread = CallThread()
    seen = {thread.run(threading.get_ident) for _ in range(3)}
    seen |= set(thread.steps(lambda _steps: threading.get_ident()))
    assert len(seen) == 1
    assert threading.get_ident() not in seen
    thread.close()


def test_an_error_of_the_call_comes_out_where_its_result_would() -> None:
    thread = CallThread()

    def call(steps: Steps[int]) -> int:
        steps.emit(1)
        raise ValueError("no")

    reader = thread.steps(call)
    assert next(reader) == 1
    with pytest.raises(ValueError, match="no"):
        next(reader)
    thread.close()


def test_closing_the_reader_stops_the_call_at_its_next_step_and_waits_for_that() -> None:
    thread, going, ended = CallThread(), threading.Event(), []

    def call(steps: Steps[int]) -> int:
        try:
            steps.emit(1)
            going.wait(10)
            steps.emit(2)
        except StoppedError:
            ended.append("stopped")
            raise
        return 3

    reader = thread.steps(call)
    assert next(reader) == 1
    going.set()
    reader.close()
    # Either the second step was handed over before the reader had gone, or the call was stopped there; it has ended.
    assert ended in ([], ["stopped"])
    assert thread.run(lambda: "free") == "free"
    thread.close()
