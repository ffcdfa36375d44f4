"""Facts about what is counted and how percentiles are picked."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streamer.pipeline.metrics import Metrics, Percentiles, PipelineStep, Timings
from streamer.types import Judgement, Outcome, RequestState


def samples(metrics: Metrics) -> dict[str, float]:
    """Return every sample as ``name{label}`` -> value, parsed as Prometheus would."""
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
        for family in families
        for sample in family.samples
    }


def test_events_are_counted_under_their_label() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.trigger("twitch")
    metrics.malformed("youtube")
    metrics.ended(RequestState.SUPERSEDED)
    metrics.refused("cooldown")
    metrics.source_event("twitch", "trigger")
    metrics.part_changed("twitch", "reconnecting")
    seen = samples(metrics)
    assert seen["streamer_triggers_total{twitch}"] == 3
    assert seen["streamer_malformed_total{youtube}"] == 1
    assert seen["streamer_requests_total{superseded}"] == 1
    assert seen["streamer_refusals_total{cooldown}"] == 1
    assert seen["streamer_source_events_total{trigger,twitch}"] == 1
    assert seen["streamer_part_changes_total{twitch,reconnecting}"] == 1


def test_every_end_of_a_request_is_counted_from_zero() -> None:
    counted = {name for name in samples(Metrics()) if name.startswith("streamer_requests_total")}
    ends = ("shown", "superseded", "refused", "expired", "cancelled", "failed")
    assert counted == {f"streamer_requests_total{{{end}}}" for end in ends}


def test_what_judges_find_is_counted_by_judge_and_timed() -> None:
    metrics = Metrics()
    metrics.judged([
        Judgement(Outcome.ALLOW, "", "nudenet", "1", took_ms=20.0), Judgement(Outcome.BLOCK, "gore", "eye", "1"),
    ])  # fmt: skip
    seen = samples(metrics)
    assert seen["streamer_judgements_total{nudenet,allow}"] == seen["streamer_judgements_total{eye,block}"] == 1
    assert seen["streamer_judge_seconds_sum{nudenet}"] == 0.02


def test_the_process_itself_is_seen_where_the_system_tells() -> None:
    seen = samples(Metrics())
    assert seen.get("process_resident_memory_bytes{}", 1) > 0
    assert ("process_resident_memory_bytes{}" in seen) is Path("/proc/self/stat").exists()


def test_when_a_counter_was_made_is_not_sent() -> None:
    assert not [name for name in samples(Metrics()) if "_created" in name]


def test_steps_are_recorded_in_seconds_for_prometheus_and_in_milliseconds_for_the_panel() -> None:
    metrics = Metrics()
    for seconds in (0.01, 0.02, 0.4):
        metrics.took(PipelineStep.DRAW, seconds)
    seen = samples(metrics)
    assert seen["streamer_step_seconds_count{draw}"] == 3
    assert seen["streamer_step_seconds_sum{draw}"] == pytest.approx(0.43)
    assert (seen["streamer_step_seconds_bucket{0.02,draw}"], seen["streamer_step_seconds_bucket{0.3,draw}"]) == (2, 2)
    assert metrics.timings.summary() == {PipelineStep.DRAW: Percentiles(3, 20.0, 400.0, 400.0)}


def test_the_loop_and_its_inbox_are_watched() -> None:
    metrics = Metrics()
    metrics.loop_lag(0.0015)
    metrics.inbox(7)
    seen = samples(metrics)
    assert (seen["streamer_loop_lag_seconds_sum{}"], seen["streamer_inbox_length{}"]) == (0.0015, 7)


def test_the_wait_for_a_gpu_is_recorded_in_seconds() -> None:
    metrics = Metrics()
    for seconds in (0.0, 0.3, 3.0):
        metrics.waited_for_gpu(seconds)
    seen = samples(metrics)
    assert (seen["streamer_gpu_wait_seconds_count{}"], seen["streamer_gpu_wait_seconds_sum{}"]) == (3, 3.3)
    assert seen["streamer_gpu_wait_seconds_bucket{0.3}"] == 2


def test_two_programs_in_one_process_do_not_share_numbers() -> None:
    one, other = Metrics(), Metrics()
    one.trigger("twitch")
    assert "streamer_triggers_total{twitch}" not in samples(other)
    assert samples(Metrics(CollectorRegistry())).keys() == samples(other).keys()
    assert not [family for family in REGISTRY.collect() if family.name.startswith("streamer")]


def test_a_registry_can_be_given() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.inbox(3)
    assert registry.get_sample_value("streamer_inbox_length") == 3


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, Percentiles(1, 1, 1, 1)), (2, Percentiles(2, 1, 2, 2)), (100, Percentiles(100, 50, 95, 99))],
)
def test_percentiles_are_picked_by_nearest_rank(count: int, expected: Percentiles) -> None:
    timings = Timings()
    for ms in range(count, 0, -1):
        timings.add(PipelineStep.QUEUE, ms)
    assert timings.summary()[PipelineStep.QUEUE] == expected


def test_only_the_last_256_times_count() -> None:
    timings = Timings()
    for ms in (10_000.0, *[1.0] * 256):
        timings.add(PipelineStep.PAINT, ms)
    assert timings.summary() == {PipelineStep.PAINT: Percentiles(256, 1.0, 1.0, 1.0)}
