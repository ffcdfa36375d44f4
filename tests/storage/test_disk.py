"""What is said about the disk: in time, in words that help, and well again by itself."""

from __future__ import annotations

import pytest

from streamer.interfaces import HealthState
from streamer.storage.disk import SILENT_S, DiskState, in_gb


@pytest.mark.parametrize(
    ("free_bytes", "state", "said"),
    [
        (None, HealthState.READY, ""),
        (42_100_000_000, HealthState.READY, "42 GB free"),
        (1_000_000_000, HealthState.READY, "1.0 GB free"),
        (999_999_999, HealthState.LIMITED, "only 1000 MB free"),
        (100_000_000, HealthState.LIMITED, "only 100 MB free"),
        (99_000_000, HealthState.ALARM, "only 99 MB free"),
    ],
)
def test_less_and_less_space_is_a_warning_and_then_an_alarm(
    free_bytes: int | None, state: HealthState, said: str
) -> None:
    health = DiskState(free_bytes=free_bytes).health(0.0)
    assert (health.state, said in health.detail) == (state, True)
    assert ("free some space" in health.detail) == (state is not HealthState.READY)


def test_a_failed_write_says_why_and_what_follows_from_it() -> None:
    disk = DiskState(free_bytes=0)
    disk.failed("database or disk is full; free some space, or set STREAMER_HOME elsewhere")
    health = disk.health(0.0)
    assert (health.state, disk.failures) == (HealthState.FAILED, 1)
    assert "no picture goes on air: database or disk is full; free some space" in health.detail
    assert "(0 MB free)" in health.detail


def test_a_disk_that_does_not_answer_is_a_failure_after_a_while() -> None:
    disk = DiskState(free_bytes=10**12, asked_at=100.0)
    assert disk.health(100.0 + SILENT_S).state is HealthState.READY
    assert disk.health(101.0 + SILENT_S).state is HealthState.FAILED


def test_sizes_are_written_as_people_read_them() -> None:
    assert [in_gb(size) for size in (0, 5_300_000, 1_250_000_000, 42_100_000_000)] == [
        "0 MB",
        "5 MB",
        "1.2 GB",
        "42 GB",
    ]
