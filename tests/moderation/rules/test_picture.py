"""The rule `picture`: it refuses or holds a finished picture by its judgements, as strictly as the options say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamer.interfaces import Rule
from streamer.moderation.rules.picture import Options, create
from streamer.types import Frame, Hold, ImageRequest, Judgement, Lane, Outcome, Refusal

Ask = Callable[..., ImageRequest]


def frame(*outcomes: str) -> Frame:
    judgements = tuple(
        Judgement(Outcome(outcome), f"code {outcome}", f"judge {n}", "1") for n, outcome in enumerate(outcomes)
    )
    return Frame("r1", "background", "image/jpeg", b"\xff\xd8", 8, 8, judgements)


@pytest.mark.parametrize(
    ("outcomes", "wanted"),
    [
        ((), None),
        (("allow", "allow"), None),
        (("allow", "hold"), Hold),
        (("hold", "block", "allow"), Refusal),
    ],
)
def test_the_gravest_finding_decides(ask: Ask, outcomes: tuple[str, ...], wanted: Any) -> None:
    objection = create(Options()).look(ask(), frame(*outcomes), 0.0)
    assert objection is None if wanted is None else isinstance(objection, wanted)
    if objection is not None:
        assert (objection.rule, objection.code) == ("picture", "code block" if wanted is Refusal else "code hold")


@pytest.mark.parametrize(
    ("own", "outcome", "wanted"),
    [
        ("as chat", "hold", Hold), ("as chat", "block", Refusal),
        ("blocks", "hold", type(None)), ("blocks", "block", Refusal),
        ("show", "hold", type(None)), ("show", "block", type(None)),
    ],
)  # fmt: skip
def test_the_streamer_decides_how_strictly_their_own_pictures_are_judged(
    ask: Ask, own: Any, outcome: str, wanted: Any
) -> None:
    rule = create(Options(own=own))
    assert isinstance(rule.look(ask(priority=Lane.BROADCASTER), frame(outcome), 0.0), wanted)
    for lane in (Lane.PAID, Lane.CHAT):
        assert isinstance(rule.look(ask(priority=lane), frame(outcome), 0.0), Hold if outcome == "hold" else Refusal)


def test_a_request_without_a_picture_passes(ask: Ask) -> None:
    rule: Rule = create(Options())
    assert rule.check(ask(), 0.0) is None
