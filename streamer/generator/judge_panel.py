"""Asks the judges in the generator process about a request's text and picture; whatever goes wrong holds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from streamer.errors import BackendUnavailable, PluginError
from streamer.generator.backend import Pixels
from streamer.generator.backend_choice import load_judge
from streamer.generator.ipc import JudgeUse
from streamer.generator.judge import ImageJudge, ImageJudgeOptions, Judge, TextJudge, tiles, worst
from streamer.moderation.thresholds import Scores, Thresholds, classify
from streamer.types import Judgement, Outcome

log = logging.getLogger(__name__)

NONE = "none: no model looks at pictures before they go on air"


@dataclass(frozen=True, slots=True)
class LoadedJudge:
    """One judge of the config; without ``judge`` it could not be loaded, and ``trouble`` says why."""

    name: str
    band: Thresholds
    judge: Judge | None
    trouble: str = ""

    @property
    def second_opinion(self) -> bool:
        return isinstance(self.band, ImageJudgeOptions) and self.band.second_opinion


class JudgePanel:
    """All judges, loaded once. Pictures are looked at by the thread that asks, texts are read beside it."""

    def __init__(self, seats: Sequence[LoadedJudge] = ()) -> None:
        self._readers = [seat for seat in seats if isinstance(seat.judge, TextJudge)]
        self._lookers = [seat for seat in seats if not isinstance(seat.judge, TextJudge)]
        self._seats = seats
        # Beside the picture, so that reading costs no time; one thread, for judges are used by one at a time.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")

    def active(self) -> dict[str, str]:
        """Say which judges there are, and why one is missing."""
        named = {f"judge {seat.name}": seat.trouble or _version(seat) for seat in self._seats}
        return named or {"judges": NONE}

    def read(self, text: str) -> Future[tuple[Judgement, ...]]:
        """Start to read a text; the result never raises."""
        return self._thread.submit(lambda: tuple(_asked(seat, lambda one: _read(one, text)) for seat in self._readers))

    def look(self, pixels: Pixels, looked: Callable[[], None] = lambda: None) -> tuple[Judgement, ...]:
        """Look at a picture, calling ``looked`` after each look; second opinions only where somebody is not content."""
        if not self._lookers:
            return ()
        opaque = over_grey(pixels)

        def ask(one: LoadedJudge) -> Scores:
            return _look(one, opaque, looked)

        first = [_asked(seat, ask) for seat in self._lookers if not seat.second_opinion]
        if all(one.outcome is Outcome.ALLOW for one in first):
            return tuple(first)
        second = [_asked(seat, ask) for seat in self._lookers if seat.second_opinion]
        return (*apply_second_opinions(first, second), *second)


def apply_second_opinions(first: Sequence[Judgement], second: Sequence[Judgement]) -> list[Judgement]:
    """Turn a block that every second opinion contradicts into a hold; nothing is ever turned into a yes."""
    if not second or any(one.outcome is not Outcome.ALLOW for one in second):
        return list(first)
    return [
        replace(one, outcome=Outcome.HOLD, code=f"disputed {one.code}") if one.outcome is Outcome.BLOCK else one
        for one in first
    ]


def over_grey(pixels: Pixels) -> Pixels:
    """Lay a transparent picture over grey, as no judge knows what transparency is."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 128 * (255 - alpha)) // 255).astype(np.uint8)


def load(use: JudgeUse) -> LoadedJudge:
    """Load one judge; one that cannot be loaded keeps its seat, and holds everything."""
    band = Thresholds()
    try:
        module = load_judge(use.name)
        band = module.Options.model_validate(use.options)
        judge: Judge = module.create(band)
        judge.load()
    except (BackendUnavailable, PluginError, ImportError) as error:
        trouble = str(error)
    except Exception as error:
        # Whatever a library throws over weights it cannot read.
        log.exception("a judge cannot be loaded: %s", use.name)
        trouble = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    else:
        return LoadedJudge(use.name, band, judge)
    log.error("judge %s is not available, so what viewers ask for waits for a moderator: %s", use.name, trouble)
    return LoadedJudge(use.name, band, None, f"not available, holds everything: {trouble}")


def _look(seat: LoadedJudge, pixels: Pixels, looked: Callable[[], None]) -> Scores:
    assert isinstance(seat.judge, ImageJudge)
    grids = seat.band.tiles if isinstance(seat.band, ImageJudgeOptions) else ()
    found = []
    for tile in tiles(pixels, grids):
        found.append(seat.judge.look(np.ascontiguousarray(tile)))
        looked()
    return worst(found)


def _read(seat: LoadedJudge, text: str) -> Scores:
    assert isinstance(seat.judge, TextJudge)
    return seat.judge.read(text)


def _asked(seat: LoadedJudge, ask: Callable[[LoadedJudge], Scores]) -> Judgement:
    if seat.judge is None:
        return Judgement(Outcome.HOLD, "unavailable", seat.name, "")
    began = time.perf_counter()
    try:
        scores = ask(seat)
        outcome, code = classify(scores, seat.band)
    except Exception:
        # Anybody's model: a fault of its must neither end the drawing nor open the gate.
        log.exception("a judge failed: %s", seat.name)
        scores, outcome, code = {}, Outcome.HOLD, "failed"
    took_ms = (time.perf_counter() - began) * 1000
    return Judgement(outcome, code, seat.name, _version(seat), scores, took_ms)


def _version(seat: LoadedJudge) -> str:
    return seat.judge.version if seat.judge is not None else ""
