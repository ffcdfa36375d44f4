"""Asks the judges in the generator process about a request's text and picture; any fault holds the picture."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from streamer.errors import BackendUnavailable, PluginError
from streamer.generator.backend import Pixels, one_line
from streamer.generator.backend_choice import load_judge_module
from streamer.generator.ipc import JudgeUse
from streamer.generator.judge import ImageJudge, ImageJudgeOptions, Judge, TextJudge, highest_scores, tiles
from streamer.moderation.thresholds import Scores, Thresholds, classify
from streamer.types import Judgement, Outcome

log = logging.getLogger(__name__)

NO_JUDGES = "none: no model looks at pictures before they go on air"


@dataclass(frozen=True, slots=True)
class LoadedJudge:
    """One judge of the config; if it could not be loaded, ``judge`` is None and ``problem`` says why."""

    name: str
    thresholds: Thresholds
    judge: Judge | None
    problem: str = ""

    @property
    def second_opinion(self) -> bool:
        """Tell whether this judge is asked only about what another one flagged."""
        return isinstance(self.thresholds, ImageJudgeOptions) and self.thresholds.second_opinion

    @property
    def version(self) -> str:
        """Name the weights; empty if none are loaded."""
        return self.judge.version if self.judge is not None else ""


class JudgePanel:
    """All judges, loaded once. The calling thread looks at pictures; a thread of its own reads texts meanwhile."""

    def __init__(self, judges: Sequence[LoadedJudge] = ()) -> None:
        self._text_judges = [judge for judge in judges if isinstance(judge.judge, TextJudge)]
        self._image_judges = [judge for judge in judges if not isinstance(judge.judge, TextJudge)]
        self._judges = judges
        # Texts are read while the picture is drawn. One thread, since a judge serves one caller at a time.
        self._text_thread = ThreadPoolExecutor(1, thread_name_prefix="text-judges")

    def active(self) -> dict[str, str]:
        """Name every judge with its version, or with the reason why it is missing."""
        judges = {f"judge {judge.name}": judge.problem or judge.version for judge in self._judges}
        return judges or {"judges": NO_JUDGES}

    def read(self, text: str) -> Future[tuple[Judgement, ...]]:
        """Start reading a text; the result never raises."""
        return self._text_thread.submit(
            lambda: tuple(_judge(judge, lambda judge: _read(judge, text)) for judge in self._text_judges)
        )

    def look(self, pixels: Pixels, after_look: Callable[[], None] = lambda: None) -> tuple[Judgement, ...]:
        """Judge a picture and call ``after_look`` after each look; ask for second opinions on flagged pictures only."""
        if not self._image_judges:
            return ()
        opaque = over_grey(pixels)

        def scores(judge: LoadedJudge) -> Scores:
            return _look(judge, opaque, after_look)

        first = [_judge(judge, scores) for judge in self._image_judges if not judge.second_opinion]
        if all(judgement.outcome is Outcome.ALLOW for judgement in first):
            return tuple(first)
        second = [_judge(judge, scores) for judge in self._image_judges if judge.second_opinion]
        return (*apply_second_opinions(first, second), *second)


def apply_second_opinions(first: Sequence[Judgement], second: Sequence[Judgement]) -> list[Judgement]:
    """Turn a block into a hold if every second opinion contradicts it; nothing is ever turned into an allow."""
    if not second or any(opinion.outcome is not Outcome.ALLOW for opinion in second):
        return list(first)
    return [
        replace(judgement, outcome=Outcome.HOLD, code=f"disputed {judgement.code}")
        if judgement.outcome is Outcome.BLOCK
        else judgement
        for judgement in first
    ]


def over_grey(pixels: Pixels) -> Pixels:
    """Composite a transparent picture over grey: no judge reads an alpha channel."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 128 * (255 - alpha)) // 255).astype(np.uint8)


def load_judge(use: JudgeUse) -> LoadedJudge:
    """Load one judge; one that cannot be loaded stays on the panel and holds everything."""
    options = Thresholds()
    try:
        module = load_judge_module(use.name)
        options = module.Options.model_validate(use.options)
        judge: Judge = module.create(options)
        judge.load()
    except (BackendUnavailable, PluginError, ImportError) as error:
        problem = str(error)
    except Exception as error:
        # A library raises anything over weights that it cannot read.
        log.exception("a judge cannot be loaded: %s", use.name)
        problem = one_line(error)
    else:
        return LoadedJudge(use.name, options, judge)
    log.error("judge %s is not available, so every viewer's picture waits for a moderator: %s", use.name, problem)
    return LoadedJudge(use.name, options, None, f"not available, holds everything: {problem}")


def _look(judge: LoadedJudge, pixels: Pixels, after_look: Callable[[], None]) -> Scores:
    assert isinstance(judge.judge, ImageJudge)
    grids = judge.thresholds.tiles if isinstance(judge.thresholds, ImageJudgeOptions) else ()
    scores = []
    for tile in tiles(pixels, grids):
        scores.append(judge.judge.look(np.ascontiguousarray(tile)))
        after_look()
    return highest_scores(scores)


def _read(judge: LoadedJudge, text: str) -> Scores:
    assert isinstance(judge.judge, TextJudge)
    return judge.judge.read(text)


def _judge(judge: LoadedJudge, score: Callable[[LoadedJudge], Scores]) -> Judgement:
    """Score with one judge and classify the scores; a judge that is missing or fails holds."""
    if judge.judge is None:
        return Judgement(Outcome.HOLD, "unavailable", judge.name, "")
    began = time.perf_counter()
    try:
        scores = score(judge)
        outcome, code = classify(scores, judge.thresholds)
    except Exception:
        # Third-party model: its failure must neither end the drawing nor let the picture through.
        log.exception("a judge failed: %s", judge.name)
        scores, outcome, code = {}, Outcome.HOLD, "failed"
    took_ms = (time.perf_counter() - began) * 1000
    return Judgement(outcome, code, judge.name, judge.version, scores, took_ms)
