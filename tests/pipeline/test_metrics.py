"""Facts about what is counted and how percentiles are picked."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from streamer.pipeline.metrics import Metrics, Percentiles, PipelineStep, Timings
from streamer.types import RequestState


def samples(metrics: Metrics) -> dict[str, float]:
    """Return every sample as ``name{label}`` -> value, parsed as Prometheus would."""
    families = text_string_to_metric_families(metrics.exposition().decode())
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
    metrics.restarts("hang", 1)
    seen = samples(metrics)
    assert seen["streamer_triggers_total{twitch}"] == 3
    assert seen["streamer_malformed_total{youtube}"] == 1
    assert seen["streamer_requests_total{superseded}"] == 1
    assert seen["streamer_refusals_total{cooldown}"] == 1
    assert seen["streamer_generator_restarts{hang}"] == 1


def test_steps_are_recorded_in_milliseconds_for_prometheus_and_for_the_panel() -> None:
    metrics = Metrics()
    for ms in (10.0, 20.0, 400.0):
        metrics.took(PipelineStep.DRAW, ms)
    seen = samples(metrics)
    assert (seen["streamer_step_ms_count{draw}"], seen["streamer_step_ms_sum{draw}"]) == (3, 430)
    assert (seen["streamer_step_ms_bucket{20.0,draw}"], seen["streamer_step_ms_bucket{300.0,draw}"]) == (2, 2)
    assert metrics.timings.summary() == {PipelineStep.DRAW: Percentiles(3, 20.0, 400.0, 400.0)}


def test_gauges_show_the_last_value() -> None:
    metrics = Metrics()
    metrics.queue_length(7)
    metrics.overlay_pages(2)
    metrics.overlay_pages(1)
    metrics.loop_lag(1.5)
    metrics.disk(5_000, 2)
    metrics.disk(None, 3)
    metrics.on_air_age("meme", 4.0)
    seen = samples(metrics)
    assert (seen["streamer_queue_length{}"], seen["streamer_overlay_pages{}"]) == (7, 1)
    assert seen["streamer_loop_lag_ms{}"] == 1.5
    assert (seen["streamer_disk_free_bytes{}"], seen["streamer_store_failures{}"]) == (5_000, 3)
    assert seen["streamer_on_air_age_seconds{meme}"] == 4.0


def test_the_wait_for_a_gpu_is_recorded_in_seconds() -> None:
    metrics = Metrics()
    for seconds in (0.0, 0.3, 3.0):
        metrics.waited_for_gpu(seconds)
    seen = samples(metrics)
    assert (seen["streamer_gpu_wait_seconds_count{}"], seen["streamer_gpu_wait_seconds_sum{}"]) == (3, 3.3)
    assert seen["streamer_gpu_wait_seconds_bucket{0.3}"] == 2


def test_a_layer_with_nothing_on_air_has_no_age() -> None:
    metrics = Metrics()
    metrics.on_air_age("meme", 4.0)
    metrics.on_air_age("meme", None)
    metrics.on_air_age("background", None)
    assert not [name for name in samples(metrics) if name.startswith("streamer_on_air_age")]


def test_two_programs_in_one_process_do_not_share_numbers() -> None:
    one, other = Metrics(), Metrics()
    one.trigger("twitch")
    assert "streamer_triggers_total{twitch}" not in samples(other)
    assert samples(Metrics(CollectorRegistry())).keys() == samples(other).keys()
    assert not [family for family in REGISTRY.collect() if family.name.startswith("streamer")]


def test_a_registry_can_be_given() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.queue_length(3)
    assert registry.get_sample_value("streamer_queue_length") == 3


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
