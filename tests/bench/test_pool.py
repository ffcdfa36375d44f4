"""The pool's bench draws with its own backend, and judges what it measured by the goals."""

from __future__ import annotations

from pathlib import Path

from bench.pool import draw, goals, process_slot, request, running
from bench.timed_backend import JPEG_BYTES
from streamer.generator.pool_channel import PoolChannel


async def test_its_backend_waits_for_each_step_and_hands_out_a_picture_of_its_size(tmp_path: Path) -> None:
    async with running(process_slot(tmp_path, "process", 0.01)) as pool:
        drawn = await draw(PoolChannel(pool), request("picture", 1, steps=5))
    assert len(drawn.frame.data) > JPEG_BYTES
    assert drawn.took_s > drawn.frame.drew_s >= 0.05


def test_each_goal_is_judged_by_its_own_measurement() -> None:
    ways = {"child": [4.0] * 100, "remote": [8.0] * 100}
    took = {"others": [0.6] * 20, "keys": [0.2] * 5, "drawing": [0.2] * 9}
    judged = {
        str(goal["metric"]): goal["met"] for goal in goals(ways, [0.1, 2.0], {"child": 11.0, "remote": 16.0}, took)
    }
    assert judged == {
        "remote over child p50, ms": False,
        "remote over child p95, ms": True,
        "killed: picture after its own time, s": False,
        "hang of the child replaced, s": True,
        "hang of the remote replaced, s": False,
        "flood: others p95 in pictures": True,
        "flood: keys p95, s": True,
    }
