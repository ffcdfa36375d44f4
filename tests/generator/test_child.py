import io

import pytest

from streamer.generator.child import Orders, device_is_lost, said
from streamer.generator.messages import Cancel, Draw, pack
from streamer.types import Actor, ImageRequest, Lane, Role, SamplingParams

REQUEST = ImageRequest(
    "1", "bg", "background", "background", "a", "a", SamplingParams(64, 48, 4, 1.0, 1),
    Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1.0,
)  # fmt: skip


def test_the_end_of_the_pipe_cancels_everything_and_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[int] = []
    monkeypatch.setattr("streamer.generator.child.CLOSE_S", 0)
    monkeypatch.setattr("os._exit", ends.append)
    orders = Orders(io.BytesIO(pack(Draw(1, REQUEST)) + pack(Cancel(1)) + pack(Draw(2, REQUEST))))
    orders.listen()
    assert [orders.jobs.get() for _ in range(3)] == [Draw(1, REQUEST), Draw(2, REQUEST), None]
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
