from __future__ import annotations

import pytest

from streamer.generator.backend import device_is_lost, one_line


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (RuntimeError("CUDA error: device-side assert triggered"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), False),
        (ValueError("bad prompt"), False),
    ],
)
def test_only_a_lost_device_ends_the_process(error: Exception, lost: bool) -> None:
    assert device_is_lost(error) is lost


def test_an_unexpected_error_is_described_in_one_short_line() -> None:
    assert one_line(RuntimeError("first line\nsecond line")) == "RuntimeError: first line"
    assert one_line(RuntimeError()) == "RuntimeError:"
    assert one_line(RuntimeError("2 faults:\n  a,\n  b")) == "RuntimeError: 2 faults: a, b"
    assert len(one_line(RuntimeError("x" * 10_000))) == 300
