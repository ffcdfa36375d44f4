"""How long each step took and how often what happened: Prometheus for machines, percentiles for the panel.

exposition.py adds what is read at the moment of a scrape. Nothing here names a viewer: labels are our own words (a
source, a rule, a state), never anything typed in chat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from streamer.types import Judgement, RequestState

_RECENT = 256
# From a command parsed in microseconds to a first picture on a CPU; the goals (30, 50, 165, 300 ms) lie between bounds.
_BUCKETS_S = (
    0.0001, 0.0005, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30,
)  # fmt: skip
_GPU_WAIT_BUCKETS_S = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)


class PipelineStep(StrEnum):
    """The stretches of the way from a trigger to painted pixels.

    Judge is how long a finished picture waited for judges, a part of draw. Overhead is all of the way but what the
    backend drew and the judges took, of requests that did not have to wait for their turn. Store is how long a
    request waited until it was on the disk.
    """

    ADMIT = "admit"
    STORE = "store"
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
        # When each counter began to count: Prometheus knows that by itself, and it doubles what is sent.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = registry if registry is not None else CollectorRegistry()
        self.timings = Timings()
        ProcessCollector(registry=registry)
        self._triggers = Counter("streamer_triggers", "Commands and key presses", ["source"], registry=registry)
        self._events = Counter(
            "streamer_source_events", "Everything that a source reported, ordinary chat included", ["source", "kind"],
            registry=registry,
        )  # fmt: skip
        self._changes = Counter(
            "streamer_part_changes", "How often a source, an output or a connection came into a state",
            ["part", "state"], registry=registry,
        )  # fmt: skip
        self._malformed = Counter("streamer_malformed", "Inputs that could not be read", ["source"], registry=registry)
        self._closed = Counter(
            "streamer_connections_closed", "Connections closed by server.limits", ["reason"], registry=registry
        )
        self._requests = Counter("streamer_requests", "Requests by how they ended", ["state"], registry=registry)
        self._refusals = Counter("streamer_refusals", "Requests refused", ["rule"], registry=registry)
        self._judgements = Counter(
            "streamer_judgements", "What judges found in texts and pictures", ["judge", "outcome"], registry=registry
        )
        self._judging = _histogram(registry, "streamer_judge_seconds", "How long each judge took", ["judge"])
        self._steps = _histogram(registry, "streamer_step_seconds", "How long each step took", ["step"])
        self._gpu_wait = Histogram(
            "streamer_gpu_wait_seconds", "How long the picture whose turn it is waits for a free GPU",
            buckets=_GPU_WAIT_BUCKETS_S, registry=registry,
        )  # fmt: skip
        self._lag = _histogram(registry, "streamer_loop_lag_seconds", "How late the event loop ran a timer")
        self._inbox = Gauge("streamer_inbox_length", "Events that wait to be admitted", registry=registry)
        for step in PipelineStep:  # a rate needs the zero before the first count
            self._steps.labels(step.value)
        for state in RequestState:
            if state.final:
                self._requests.labels(state.value)

    def trigger(self, source: str) -> None:
        """Count a command or a key press."""
        self._triggers.labels(source).inc()

    def source_event(self, source: str, kind: str) -> None:
        """Count something that a source reported, whatever becomes of it."""
        self._events.labels(source, kind).inc()

    def part_changed(self, part: str, state: str) -> None:
        """Count that a source, an output or a connection came into a state."""
        self._changes.labels(part, state).inc()

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

    def judged(self, judgements: Iterable[Judgement]) -> None:
        """Count what judges found, and record how long each of them took."""
        for judgement in judgements:
            self._judgements.labels(judgement.judge, judgement.outcome.value).inc()
            self._judging.labels(judgement.judge).observe(judgement.took_ms / 1000)

    def took(self, step: PipelineStep, seconds: float) -> None:
        """Record how long a step took."""
        self.timings.add(step, seconds * 1000)
        self._steps.labels(step.value).observe(seconds)

    def waited_for_gpu(self, seconds: float) -> None:
        """Record how long a picture waited for a GPU after its turn had come."""
        self._gpu_wait.observe(seconds)

    def loop_lag(self, seconds: float) -> None:
        """Record how late the event loop ran a timer."""
        self._lag.observe(seconds)

    def inbox(self, length: int) -> None:
        """Set how many events wait to be admitted."""
        self._inbox.set(length)


def _histogram(registry: CollectorRegistry, name: str, about: str, labels: Sequence[str] = ()) -> Histogram:
    return Histogram(name, about, labels, buckets=_BUCKETS_S, registry=registry)


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
