"""A greeting does not make somebody known here."""

from __future__ import annotations

from dataclasses import replace

from streamer.moderation.first_time import FirstTimeChatters
from streamer.types import Actor, Role, Trigger
from tests.support.examples import REQUEST

ANN, BEN = Actor("7", "Ann", Role.VIEWER), Actor("8", "Ben", Role.VIEWER)


def test_the_first_request_after_a_first_line_is_a_newcomers_and_the_next_is_not() -> None:
    newcomers = FirstTimeChatters()
    newcomers.note_greeting(Trigger("t", "test", "hello", ANN, 1.0, first_time=True))
    newcomers.note_greeting(Trigger("u", "test", "hello", BEN, 1.0))
    asked = [newcomers.mark(replace(REQUEST, actor=who)).first_time for who in (BEN, ANN, ANN)]
    assert asked == [False, True, False]
