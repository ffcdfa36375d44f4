"""Who may ask for what, and what may go on air: one rule per file, asked in the order of config.yaml."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from streamer.contracts import NameJudge, Rule
from streamer.types import ImageRequest, Refusal

log = logging.getLogger(__name__)


def judge(rules: Iterable[Rule], request: ImageRequest, now: float) -> Refusal | None:
    """Ask the rules in order; the first refusal ends it, None lets the request pass. A rule that breaks refuses."""
    for rule in rules:
        try:
            refusal = rule.check(request, now)
        except Exception:
            # A plug-in of anybody's: its bug must not end the show, and must not open the gate either.
            log.exception("a rule failed: %s", type(rule).__name__)
            refusal = Refusal(request.id, "policy", "the request could not be checked")
        if refusal is not None:
            return refusal
    return None


def name_fits(rules: Iterable[Rule], name: str) -> bool:
    """Ask every rule that judges names; one that breaks says no."""
    try:
        return all(rule.name_ok(name) for rule in rules if isinstance(rule, NameJudge))
    except Exception:
        log.exception("a rule failed on a name")
        return False
