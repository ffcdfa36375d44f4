"""What Prometheus gets: everything that was counted, and how the show stands at the moment of the scrape."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streamer import __version__
from streamer.generator.gpus import GpuUse
from streamer.generator.restart_policy import ExitCause
from streamer.generator.slot_summary import BEST_FIRST
from streamer.interfaces import HealthState
from streamer.pipeline.forecast import newcomer_waits
from streamer.pipeline.show import Show
from streamer.pipeline.status import parts_health

DOWN = (HealthState.CONNECTING, HealthState.RECONNECTING, HealthState.ALARM, HealthState.FAILED)
"""The states in which a source, an output or a connection does not do what it should."""


def exposition(show: Show, gpus: Sequence[GpuUse] = ()) -> bytes:
    """Return all metrics in Prometheus' text format."""
    now = [*_program(show), *_generator(show), *_parts(show), *_flow(show), *_overlay(show), *_disk(show), *_gpus(gpus)]
    return generate_latest(show.metrics.registry) + generate_latest(_Snapshot(now))


@dataclass(frozen=True, slots=True)
class _Snapshot(Collector):
    """What was read at one moment."""

    metrics: Sequence[Metric]

    def collect(self) -> Sequence[Metric]:
        return self.metrics


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _gauges(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    """Make one gauge for each value of a label."""
    family = GaugeMetricFamily(name, about, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family


def _info(name: str, about: str, labels: Mapping[str, str]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=list(labels))
    family.add_metric(list(labels.values()), 1)
    return family


def _program(show: Show) -> Iterator[Metric]:
    versions = {"version": __version__, "python": platform.python_version()}
    yield _info("streamer_build_info", "Which program runs", versions)
    yield _gauge("streamer_live", "1 while Twitch or OBS says that the stream is live", show.live)
    yield _gauge("streamer_intake_open", "0 while the show is paused or after a panic", show.intake.open)
    yield _gauge("streamer_panic", "1 after a panic, until somebody resumes", show.intake.panicked)
    raided = bool(show.raid_mode.alarm(show.now()))
    yield _gauge("streamer_raid_mode", "1 while raid mode slows chat down", raided)


def _generator(show: Show) -> Iterator[Metric]:
    generator = show.generator
    state = generator.health().state
    states = {known.value: float(known is state) for known in BEST_FIRST}
    yield _gauges("streamer_generator_state", "1 for the state that the generator is in", "state", states)
    backend = generator.active.get("backend", "")
    yield _info("streamer_generator_info", "Which backend draws", {"backend": backend})
    fallback = "fallback" in generator.active
    yield _gauge("streamer_generator_fallback", "1 while something else draws than what was configured", fallback)
    trial = "trial" in generator.active
    yield _gauge("streamer_generator_trial", "1 while what was configured is on trial after a fallback", trial)
    restarts = CounterMetricFamily("streamer_generator_restarts", "Unexpected ends of generators", labels=["cause"])
    for cause in sorted({*ExitCause, *generator.restarts}):
        restarts.add_metric([str(cause)], generator.restarts.get(cause, 0))
    yield restarts
    slots = generator.slots
    drawing = {name: float(health.draws) for name, health in slots.items()}
    yield _gauges("streamer_slot_up", "1 while a slot draws what it is asked for", "slot", drawing)
    busy = {name: float(health.state is HealthState.BUSY) for name, health in slots.items()}
    yield _gauges("streamer_slot_busy", "1 while a slot draws a picture", "slot", busy)


def _parts(show: Show) -> Iterator[Metric]:
    up = {part.name: float(part.state not in DOWN) for part in parts_health(show)}
    yield _gauges("streamer_part_up", "0 while a source, an output or a connection does not work", "part", up)


def _flow(show: Show) -> Iterator[Metric]:
    queued, now = show.queued(), show.now()
    yield _gauge("streamer_queue_length", "Requests in the queue", len(queued))
    oldest = max((now - request.at for request in queued), default=0.0)
    yield _gauge("streamer_queue_oldest_seconds", "How long the oldest request in the queue has waited", oldest)
    yield _gauge("streamer_held_pictures", "Pictures that wait for a moderator or for their delay", len(show.approvals))
    waits = newcomer_waits(show)
    yield _gauges("streamer_expected_wait_seconds", "Expected wait of a new request", "layer", waits)


def _overlay(show: Show) -> Iterator[Metric]:
    pages = show.hub.pages.describe()
    yield _gauge("streamer_overlay_pages", "Connected overlay pages", len(pages))
    slowest_ms = max((page.ack_ms for page in pages if page.ack_ms is not None), default=0.0)
    about = "How long the slowest page took to answer its last picture"
    yield _gauge("streamer_overlay_slowest_ack_seconds", about, slowest_ms / 1000)
    now = show.now()
    ages = {shown.layer: now - shown.since for shown in show.stage.snapshot() if shown.since is not None}
    yield _gauges("streamer_on_air_age_seconds", "Age of the picture on air", "layer", ages)


def _disk(show: Show) -> Iterator[Metric]:
    disk = show.store.database.disk
    if disk.free_bytes is not None:
        yield _gauge("streamer_disk_free_bytes", "Free space on the state folder's disk", disk.free_bytes)
    yield CounterMetricFamily(
        "streamer_store_failures", "Failed calls to the database and its files", value=disk.failures
    )


def _gpus(gpus: Sequence[GpuUse]) -> Iterator[Metric]:
    """Describe the GPUs of this computer; what a driver does not tell has no value."""
    figures = {
        "streamer_gpu_utilization_ratio": ("How busy the GPU is, from 0 to 1", "utilization"),
        "streamer_gpu_memory_used_bytes": ("GPU memory in use, by all programs", "memory_used_bytes"),
        "streamer_gpu_memory_total_bytes": ("GPU memory", "memory_total_bytes"),
        "streamer_gpu_temperature_celsius": ("Temperature of the GPU", "temperature_celsius"),
        "streamer_gpu_power_watts": ("Power that the GPU draws", "power_watts"),
    }
    for name, (about, field) in figures.items() if gpus else ():
        family = GaugeMetricFamily(name, about, labels=["gpu", "name"])
        for gpu in gpus:
            if (value := getattr(gpu, field)) is not None:
                family.add_metric([gpu.index, gpu.name], value)
        yield family
