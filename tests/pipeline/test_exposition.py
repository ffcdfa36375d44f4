"""Facts about what Prometheus is told of a show at the moment of a scrape."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streamer.generator.gpus import GpuUse
from streamer.interfaces import Health, HealthState
from streamer.pipeline.exposition import exposition
from streamer.types import Notice, NoticeKind
from tests.support.show import Room, held, opened

ABBREVIATED = re.compile(r"_(ms|s|sec|secs|kb|mb|gb|percent|pct|temp|mem|util)(_|$)")
GPU = GpuUse("0", "NVIDIA GeForce RTX 4090", 0.87, 11e9, 25e9, 61.0, None)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with opened(tmp_path, first_time=False) as running:
        yield running


def samples(room: Room, *gpus: GpuUse) -> dict[str, float]:
    """Return every sample as ``name{labels}`` -> value, as Prometheus would read it."""
    families = text_string_to_metric_families(exposition(room.show, gpus).decode())
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
        for family in families
        for sample in family.samples
    }


async def test_every_metric_has_a_help_line_base_units_and_counters_a_total(room: Room) -> None:
    families = list(text_string_to_metric_families(exposition(room.show, (GPU,)).decode()))
    assert len({family.name for family in families}) == len(families) > 35
    for family in families:
        assert family.documentation, family.name
        assert ABBREVIATED.search(family.name) is None, family.name
        if family.type == "counter":
            assert {sample.name for sample in family.samples} <= {f"{family.name}_total"}
        else:
            assert not family.name.endswith("_total")


async def test_the_queue_tells_its_length_and_how_long_its_oldest_request_has_waited(room: Room) -> None:
    await room.say("!bg harbour", "ann")
    await room.until(lambda: room.status().drawing is not None)
    await room.say("!bg meadow", "ben")
    room.now += 4
    seen = samples(room)
    assert seen["streamer_queue_length{}"] == 1
    assert seen["streamer_queue_oldest_seconds{}"] == pytest.approx(4)


async def test_what_is_on_air_and_what_is_held_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        assert samples(room)["streamer_held_pictures{}"] == 0
        request_id = await held(room)
        seen = samples(room)
        assert seen["streamer_held_pictures{}"] == 1
        assert not [name for name in seen if name.startswith("streamer_on_air_age")]
        await room.moderator.approve(request_id, "mod")
        room.now += 3
        assert samples(room)["streamer_on_air_age_seconds{background}"] == pytest.approx(3)


async def test_the_generator_tells_its_state_its_slots_and_how_often_it_ended(room: Room) -> None:
    room.easel.slots = {
        "this computer": Health("generator", HealthState.BUSY), "gpu-pc": Health("generator", HealthState.RECONNECTING),
    }  # fmt: skip
    room.easel.active = {"backend": "procedural", "fallback": "klein failed"}
    seen = samples(room)
    assert (seen["streamer_generator_state{ready}"], seen["streamer_generator_state{failed}"]) == (1, 0)
    assert (seen["streamer_generator_fallback{}"], seen["streamer_generator_info{procedural}"]) == (1, 1)
    assert seen["streamer_generator_trial{}"] == 0
    assert (seen["streamer_generator_restarts_total{crash}"], seen["streamer_generator_restarts_total{hang}"]) == (2, 0)
    assert (seen["streamer_slot_up{this computer}"], seen["streamer_slot_busy{this computer}"]) == (1, 1)
    assert (seen["streamer_slot_up{gpu-pc}"], seen["streamer_slot_busy{gpu-pc}"]) == (0, 0)


async def test_a_backend_on_trial_is_no_fallback(room: Room) -> None:
    room.easel.active = {"backend": "klein", "trial": "3 of 10 pictures"}
    seen = samples(room)
    assert (seen["streamer_generator_fallback{}"], seen["streamer_generator_trial{}"]) == (0, 1)


async def test_live_panic_and_pause_are_told(room: Room) -> None:
    seen = samples(room)
    assert [seen[f"streamer_{name}{{}}"] for name in ("live", "intake_open", "panic", "raid_mode")] == [0, 1, 0, 0]
    await room.admit.observe(Notice("obs", NoticeKind.ONLINE, room.now))
    await room.order("!panic")
    seen = samples(room)
    assert [seen[f"streamer_{name}{{}}"] for name in ("live", "intake_open", "panic")] == [1, 0, 1]
    await room.admit.observe(Notice("obs", NoticeKind.OFFLINE, room.now))
    assert samples(room)["streamer_live{}"] == 0


@pytest.mark.parametrize(
    ("state", "up"), [("ready", 1), ("away", 1), ("limited", 1), ("alarm", 0), ("reconnecting", 0), ("failed", 0)]
)
async def test_a_part_is_up_unless_it_does_not_do_what_it_should(room: Room, state: str, up: int) -> None:
    room.show.stopped["twitch"] = Health("twitch", HealthState(state))
    assert samples(room)["streamer_part_up{twitch}"] == up


async def test_the_store_tells_its_space_once_known_and_every_failure(room: Room) -> None:
    disk = room.store.database.disk
    disk.free_bytes = None
    assert "streamer_disk_free_bytes{}" not in samples(room)
    disk.free_bytes = 5_000
    disk.failed("full")
    seen = samples(room)
    assert (seen["streamer_disk_free_bytes{}"], seen["streamer_store_failures_total{}"]) == (5_000, 1)


async def test_an_accepted_request_tells_how_long_the_disk_took(room: Room) -> None:
    await room.say("!bg harbour")
    assert samples(room)["streamer_step_seconds_count{store}"] == 1


async def test_a_machine_without_gpus_has_no_metrics_of_them_and_one_with_some_tells_what_is_known(room: Room) -> None:
    assert not [name for name in samples(room) if "gpu_memory" in name]
    seen = samples(room, GPU)
    assert seen["streamer_gpu_utilization_ratio{0,NVIDIA GeForce RTX 4090}"] == 0.87
    assert not [name for name in seen if name.startswith("streamer_gpu_power_watts")]
