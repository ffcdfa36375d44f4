"""Who may ask for what, and what may go on air: one rule per file, asked in the order of config.yaml."""

from __future__ import annotations

from collections.abc import Iterable

from streamer.contracts import Rule
from streamer.types import ImageRequest, Refusal


def judge(rules: Iterable[Rule], request: ImageRequest, now: float) -> Refusal | None:
    """Ask the rules in order; the first refusal ends it, None lets the request pass."""
    for rule in rules:
        refusal = rule.check(request, now)
        if refusal is not None:
            return refusal
    return None
