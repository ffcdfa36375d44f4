"""Who may ask for what, and what may go on air: asks the configured rules, in the order of config.yaml."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable

from streamer.commands.bidi import display_order
from streamer.interfaces import Rule
from streamer.text import clean, excerpt
from streamer.types import Frame, Hold, ImageRequest, Judgement, Notice, Outcome, Refusal

log = logging.getLogger(__name__)

Objection = Refusal | Hold

# A remote judge usually answers in 0.1 to 0.6 s; one that takes longer counts as silent.
JUDGE_TIMEOUT_S = 3.0
LONGEST_NAME = 32
"""Characters of a name that are shown; platforms allow 25."""
LATE, FAILED = "late", "failed"
"""Codes of judgements that stand for no answer of a judge."""


class Policy:
    """Ask each rule for what it implements; which rule implements what is sorted once, at the start.

    Rules may be third-party plug-ins: each call isolates a rule's failure.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._checks = self._implementing("check")
        self._limiters = self._implementing("give_back")
        self._observers = self._implementing("observe")
        self._draw_gates = self._implementing("may_draw")
        self._text_judges = self._implementing("judge_text")
        self._picture_rules = self._implementing("look")
        self._name_rules = self._implementing("name_ok")
        self._term_importers = self._implementing("import_terms")
        self._stylists = self._implementing("style")

    def _implementing(self, member: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if implements(rule, member))

    def check(self, request: ImageRequest, now: float) -> Objection | None:
        """Return the first refusal, else the first hold; None lets the request pass. A rule that fails refuses."""
        if not request.gated:
            return None
        return _first_objection(self._checks, request, lambda rule: rule.check(request, now))

    def check_again(self, request: ImageRequest, now: float) -> Objection | None:
        """Ask what ``check`` asks of a request that has used its turn already: every rule but the limiters."""
        checks = (rule for rule in self._checks if rule not in self._limiters)
        return _first_objection(checks, request, lambda rule: rule.check(request, now))

    def give_back(self, request: ImageRequest, now: float) -> None:
        """Return the turn of a request that found no place in the queue to every rule that counts turns."""
        for rule in self._limiters:
            try:
                rule.give_back(request, now)
            except Exception:
                log.exception("a rule failed on a full queue: %s", type(rule).__name__)

    def observe(self, notice: Notice, now: float) -> None:
        """Pass a notice on to every rule that observes."""
        for rule in self._observers:
            try:
                rule.observe(notice, now)
            except Exception:
                log.exception("a rule failed on a notice: %s", type(rule).__name__)

    def may_draw(self, request: ImageRequest) -> bool:
        """Tell whether no rule keeps a queued request waiting; a rule that fails does."""
        try:
            return all(rule.may_draw(request) for rule in self._draw_gates)
        except Exception:
            log.exception("a rule failed before drawing")
            return False

    @property
    def style(self) -> str | None:
        """Name the prompt style that the first rule with an answer asks for."""
        return next((rule.style for rule in self._stylists if rule.style), None)

    async def judge_text(self, request: ImageRequest) -> list[Judgement]:
        """Ask every judge of texts concurrently; one that fails or takes over ``JUDGE_TIMEOUT_S`` holds."""
        judges = self._text_judges if request.gated else ()
        return list(await asyncio.gather(*(_judge_text(rule, request) for rule in judges)))

    def look(self, request: ImageRequest, frame: Frame, now: float) -> Objection | None:
        """Ask the rules about a finished picture, as ``check`` does; if none judges pictures, its judgements decide."""
        if not request.gated:
            return None
        if not self._picture_rules:
            return worst(request, frame.judgements)
        return _first_objection(self._picture_rules, request, lambda rule: rule.look(request, frame, now))

    def name_ok(self, name: str) -> bool:
        """Tell whether no rule objects to showing a display name; a rule that fails objects."""
        try:
            return all(rule.name_ok(name) for rule in self._name_rules)
        except Exception:
            log.exception("a rule failed on a name")
            return False

    def shown_name(self, name: str, longest: int = LONGEST_NAME) -> str:
        """Return a name in the form in which it may be shown, "" if a rule objects to it as typed or as shown."""
        name = clean(name)
        shown = excerpt(name, longest)
        return shown if name and all(map(self.name_ok, {name, shown, display_order(shown)})) else ""

    def import_terms(self, terms: Collection[str]) -> int:
        """Hand the channel's blocked terms to every rule that takes them; return how many of them count now."""
        return max((rule.import_terms(terms) for rule in self._term_importers), default=0)


def implements(rule: Rule, member: str) -> bool:
    """Tell whether a rule overrides a member of Rule; third-party rules need not inherit and may lack it."""
    return hasattr(rule, member) and getattr(type(rule), member, None) is not getattr(Rule, member)


def worst(request: ImageRequest, judgements: Iterable[Judgement]) -> Objection | None:
    """Turn the gravest judgement into an objection."""
    judgement = gravest(judgements)
    if judgement is None:
        return None
    code = judgement.code or "judge"
    if judgement.outcome is Outcome.BLOCK:
        return Refusal(request.id, judgement.judge, "this cannot be shown", code)
    return Hold(request.id, judgement.judge, "a judge is not sure", code)


def gravest(judgements: Iterable[Judgement]) -> Judgement | None:
    """Return the first block, else the first hold, None if every judge allows."""
    first = {judgement.outcome: judgement for judgement in reversed(list(judgements))}
    return first.get(Outcome.BLOCK) or first.get(Outcome.HOLD)


def _first_objection(
    rules: Iterable[Rule], request: ImageRequest, ask: Callable[[Rule], Objection | None]
) -> Objection | None:
    held: Hold | None = None
    for rule in rules:
        try:
            objection = ask(rule)
        except Exception:
            # A bug in a rule must neither end the show nor open the gate.
            log.exception("a rule failed: %s", type(rule).__name__)
            objection = Refusal(request.id, "policy", "the request could not be checked")
        if isinstance(objection, Refusal):
            return objection
        held = held or objection
    return held


async def _judge_text(rule: Rule, request: ImageRequest) -> Judgement:
    name = type(rule).__name__
    try:
        async with asyncio.timeout(JUDGE_TIMEOUT_S):
            return await rule.judge_text(request)
    except TimeoutError:
        return Judgement(Outcome.HOLD, LATE, name, "")
    except Exception:
        log.exception("a judge of texts failed: %s", name)
        return Judgement(Outcome.HOLD, FAILED, name, "")
