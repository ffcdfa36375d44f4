"""Who may ask for what, and what may go on air: one rule per file, asked in the order of config.yaml."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from functools import partial
from inspect import iscoroutinefunction

from streamer.interfaces import (
    DrawGate,
    Limiter,
    Listener,
    NameJudge,
    PictureJudge,
    Rule,
    Stylist,
    TermImporter,
    TextJudge,
)
from streamer.types import Frame, Hold, ImageRequest, Judgement, Notice, Outcome, Refusal

log = logging.getLogger(__name__)

Objection = Refusal | Hold
_Question = tuple[object, Callable[[], Objection | None]]

# A remote judge usually answers in 0.1 to 0.6 s; whoever takes longer is as good as silent.
JUDGE_TIMEOUT_S = 3.0


def judge(rules: Iterable[Rule], request: ImageRequest, now: float) -> Objection | None:
    """Ask the rules in order: the first refusal ends it, else the first hold counts, None lets the request pass.

    A rule that breaks refuses.
    """
    return _worst([(rule, partial(rule.check, request, now)) for rule in rules], request)


def look(rules: Iterable[Rule], request: ImageRequest, frame: Frame, now: float) -> Objection | None:
    """Ask every rule that judges pictures, as ``judge`` does; without one what the judges found counts as it is."""
    judges = [rule for rule in rules if isinstance(rule, PictureJudge)]
    if not judges:
        return worst(request, frame.judgements)
    return _worst([(rule, partial(rule.look, request, frame, now)) for rule in judges], request)


def worst(request: ImageRequest, judgements: Iterable[Judgement]) -> Objection | None:
    """Turn what judges found into an objection: a block wins over a hold."""
    found = {one.outcome: one for one in reversed(list(judgements))}
    if (bad := found.get(Outcome.BLOCK)) is not None:
        return Refusal(request.id, bad.judge, "this cannot be shown", bad.code or "judge")
    if (unsure := found.get(Outcome.HOLD)) is not None:
        return Hold(request.id, unsure.judge, "a judge is not sure", unsure.code or "judge")
    return None


def _worst(
    questions: Iterable[tuple[object, Callable[[], Objection | None]]], request: ImageRequest
) -> Objection | None:
    held: Hold | None = None
    for rule, ask in questions:
        try:
            objection = ask()
        except Exception:
            # A plug-in of anybody's: its bug must not end the show, and must not open the gate either.
            log.exception("a rule failed: %s", type(rule).__name__)
            objection = Refusal(request.id, "policy", "the request could not be checked")
        if isinstance(objection, Refusal):
            return objection
        held = held or objection
    return held


async def deliberate(rules: Iterable[Rule], request: ImageRequest) -> list[Judgement]:
    """Ask every judge that takes its time, all at once; one that fails or is late holds."""
    # A protocol knows no more than the name, and other rules have a judge() for their own use.
    judges = [rule for rule in rules if isinstance(rule, TextJudge) and iscoroutinefunction(rule.judge)]
    return list(await asyncio.gather(*(_answer(one, request) for one in judges)))


async def _answer(judge: TextJudge, request: ImageRequest) -> Judgement:
    name = type(judge).__name__
    try:
        async with asyncio.timeout(JUDGE_TIMEOUT_S):
            return await judge.judge(request)
    except TimeoutError:
        return Judgement(Outcome.HOLD, "late", name, "")
    except Exception:
        log.exception("a judge of texts failed: %s", name)
        return Judgement(Outcome.HOLD, "failed", name, "")


def hear(rules: Iterable[Rule], notice: Notice, now: float) -> None:
    """Tell every rule that listens; one that breaks is logged."""
    for rule in rules:
        if isinstance(rule, Listener):
            try:
                rule.hear(notice, now)
            except Exception:
                log.exception("a rule failed on a notice: %s", type(rule).__name__)


def give_back(rules: Iterable[Rule], request: ImageRequest, now: float) -> None:
    """Tell every rule that counts turns that this one was for nothing; one that breaks is logged."""
    for rule in rules:
        if isinstance(rule, Limiter):
            try:
                rule.give_back(request, now)
            except Exception:
                log.exception("a rule failed on a full queue: %s", type(rule).__name__)


def may_draw(rules: Iterable[DrawGate], request: ImageRequest) -> bool:
    """Ask every rule that keeps the door until the end; one that breaks keeps it shut."""
    try:
        return all(rule.may_draw(request) for rule in rules)
    except Exception:
        log.exception("a rule failed before drawing")
        return False


def style_of(rules: Iterable[Rule]) -> str | None:
    """Return the style that the moment asks for, by the first rule that has a say in it."""
    return next((rule.style for rule in rules if isinstance(rule, Stylist) and rule.style), None)


def import_terms(rules: Iterable[Rule], terms: Collection[str]) -> int:
    """Hand the channel's blocked terms to every rule that takes them; return how many of them count now."""
    return max((rule.import_terms(terms) for rule in rules if isinstance(rule, TermImporter)), default=0)


def name_fits(rules: Iterable[Rule], name: str) -> bool:
    """Ask every rule that judges names; one that breaks says no."""
    try:
        return all(rule.name_ok(name) for rule in rules if isinstance(rule, NameJudge))
    except Exception:
        log.exception("a rule failed on a name")
        return False
