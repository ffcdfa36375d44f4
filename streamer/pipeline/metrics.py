"""How long each step took and how often what happened: Prometheus for machines, percentiles for the panel.

Nothing here names a viewer: labels are our own words (a source, a rule, a state), never anything typed in chat.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from streamer.types import (
    RequestState,
)

_RECENT = 256
# From a command parsed in microseconds to a first picture on a CPU; the goals (30, 50, 165, 300 ms) lie between bounds.
_BUCKETS_MS = (0.1, 0.5, 1, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000, 10000, 30000)
_GPU_WAIT_BUCKETS_S = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)


class PipelineStep(StrEnum):
    """The stretches of the way from a trigger to painted pixels.

    Judge is how long a finished picture waited for judges, a part of draw. Overhead is all of the way but what the
    backend drew and the judges took, of requests that did not have to wait for their turn.
    """

    ADMIT = "admit"
    QUEUE = "queue"
    DRAW = "draw"
    JUDGE = "judge"
    DELIVER = "deliver"
    PAINT = "paint"
    OVERHEAD = "overhead"


class Timings:
    """Keep the last 256 times of each step."""

    def __init__(self) -> None:
        self._recent = {step: deque[float](maxlen=_RECENT) for step in PipelineStep}

    def add(self, step: PipelineStep, ms: float) -> None:
        """Remember one time."""
        self._recent[step].append(ms)

    def summary(self) -> dict[PipelineStep, Percentiles]:
        """Return the percentiles of every step that has been taken, each of them a time that was measured."""
        return {step: _percentiles(sorted(times)) for step, times in self._recent.items() if times}


class Metrics:
    """Count and time into a registry of its own, so that two programs in one process do not meet."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = registry if registry is not None else CollectorRegistry()
        self.timings = Timings()
        self._triggers = Counter("streamer_triggers", "Triggers received", ["source"], registry=registry)
        self._malformed = Counter("streamer_malformed", "Inputs that could not be read", ["source"], registry=registry)
        self._closed = Counter(
            "streamer_connections_closed", "Connections closed by server.limits", ["reason"], registry=registry
        )
        self._requests = Counter("streamer_requests", "Requests by how they ended", ["state"], registry=registry)
        self._refusals = Counter("streamer_refusals", "Requests refused", ["rule"], registry=registry)
        self._restarts = Gauge("streamer_generator_restarts", "Generator restarts", ["cause"], registry=registry)
        self._steps = Histogram(
            "streamer_step_ms",
            "Duration of each step in milliseconds",
            ["step"],
            buckets=_BUCKETS_MS,
            registry=registry,
        )
        self._gpu_wait = Histogram(
            "streamer_gpu_wait_seconds",
            "How long the picture whose turn it is waits for a free GPU",
            buckets=_GPU_WAIT_BUCKETS_S,
            registry=registry,
        )
        self._queue = Gauge("streamer_queue_length", "Requests in the queue", registry=registry)
        self._wait = Gauge(
            "streamer_expected_wait_seconds", "Expected wait of a new request", ["layer"], registry=registry
        )
        self._pages = Gauge("streamer_overlay_pages", "Connected overlay pages", registry=registry)
        self._age = Gauge("streamer_on_air_age_seconds", "Age of the picture on air", ["layer"], registry=registry)
        self._disk = Gauge("streamer_disk_free_bytes", "Free space on the state folder's disk", registry=registry)
        self._failures = Gauge(
            "streamer_store_failures", "Failed calls to the database and its files", registry=registry
        )
        self._lag = Gauge("streamer_loop_lag_ms", "Delay of the event loop in milliseconds", registry=registry)

    def trigger(self, source: str) -> None:
        """Count something that happened outside."""
        self._triggers.labels(source).inc()

    def malformed(self, source: str) -> None:
        """Count a message that could not be read."""
        self._malformed.labels(source).inc()

    def connection_closed(self, reason: str) -> None:
        """Count a connection that was closed because it asked too much."""
        self._closed.labels(reason).inc()

    def ended(self, state: RequestState) -> None:
        """Count a request that has come to its end."""
        self._requests.labels(state.value).inc()

    def refused(self, rule: str) -> None:
        """Count a refusal."""
        self._refusals.labels(rule).inc()

    def restarts(self, cause: str, count: int) -> None:
        """Set how often the generator was restarted; ``cause`` is one word, not a message."""
        self._restarts.labels(cause).set(count)

    def took(self, step: PipelineStep, ms: float) -> None:
        """Record how long a step took."""
        self.timings.add(step, ms)
        self._steps.labels(step.value).observe(ms)

    def waited_for_gpu(self, seconds: float) -> None:
        """Record how long a picture waited for a GPU after its turn had come."""
        self._gpu_wait.observe(seconds)

    def queue_length(self, length: int) -> None:
        """Set how many pictures wait."""
        self._queue.set(length)

    def expected_wait(self, layer: str, seconds: float) -> None:
        """Set in how many seconds a picture that a viewer asks for now would be on air."""
        self._wait.labels(layer).set(seconds)

    def overlay_pages(self, pages: int) -> None:
        """Set how many overlay pages are connected."""
        self._pages.set(pages)

    def on_air_age(self, layer: str, seconds: float | None) -> None:
        """Set how old the picture on a layer is; None when nothing is on air there."""
        age = self._age.labels(layer)
        if seconds is not None:
            age.set(seconds)
        else:
            self._age.remove(layer)

    def disk(self, free_bytes: int | None, failures: int) -> None:
        """Set how much space is free, None when it is not known yet, and how often the store failed."""
        if free_bytes is not None:
            self._disk.set(free_bytes)
        self._failures.set(failures)

    def loop_lag(self, ms: float) -> None:
        """Set how late the event loop ran a timer."""
        self._lag.set(ms)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


def _percentiles(times: list[float]) -> Percentiles:
    """Pick by nearest rank: no time is reported that was never measured."""
    p50, p95, p99 = (times[-(-len(times) * percent // 100) - 1] for percent in (50, 95, 99))
    return Percentiles(len(times), p50, p95, p99)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How long one stage took lately, in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
