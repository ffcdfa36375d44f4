"""Named triggers: what each kind does, repeatable random choices, and bounces that count once."""

from __future__ import annotations

from itertools import pairwise

import pytest
from pydantic import TypeAdapter, ValidationError

from streamer.commands.named_triggers import PRESSABLE, NamedTrigger, NamedTriggers, NamedTriggerTable
from streamer.types import KeyPress, Role, StageAction, StageCommand, Trigger

TABLE = {
    "harbour": "!bg stormy harbour",
    "cave": {"kind": "prompt", "prompt": "crystal cave"},
    "cat": {"kind": "prompt", "prompt": "cat | monday", "command": "meme"},
    "tour": {"kind": "cycle", "lines": ["!bg one", "!bg two", "!bg three"]},
    "luck": {"kind": "random", "lines": [f"!bg {number}" for number in range(5)]},
    "back": {"kind": "undo", "layer": "meme"},
    "stop": {"kind": "panic"},
}


def named(seed: int | None = None) -> NamedTriggers:
    return NamedTriggers(TypeAdapter(NamedTriggerTable).validate_python(TABLE), "!", seed)


def typed(named: NamedTriggers, name: str, times: int = 1) -> list[str]:
    orders = [named.interpret(KeyPress(f"{name}-{n}", "deck", name, float(n))) for n in range(times)]
    return [order.text for order in orders if isinstance(order, Trigger)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("harbour", "!bg stormy harbour"),
        ("cave", "!bg crystal cave"),
        ("cat", "!meme cat | monday"),
        ("!style noir", "!style noir"),
    ],
)
def test_a_press_types_a_line_as_the_streamer(name: str, text: str) -> None:
    trigger = named().interpret(KeyPress("p1", "deck", name, 7.0))
    assert isinstance(trigger, Trigger)
    assert (trigger.id, trigger.source, trigger.text, trigger.at) == ("p1", "deck", text, 7.0)
    assert trigger.actor.role is Role.BROADCASTER


@pytest.mark.parametrize(
    ("name", "action", "layer"),
    [("stop", "panic", None), ("back", "undo", "meme"), ("panic", "panic", None), ("free", "free", None)],
)
def test_a_pressed_action_needs_no_word_in_the_command_table(name: str, action: str, layer: str | None) -> None:
    order = named().interpret(KeyPress("p1", "deck", name, 0.0))
    assert isinstance(order, StageCommand)
    assert (order.action, order.layer, order.actor.role) == (action, layer, Role.BROADCASTER)


def test_every_action_that_needs_no_words_is_a_name_by_itself() -> None:
    assert set(PRESSABLE) <= set(StageAction)
    assert set(PRESSABLE) <= set(named().names)


def test_a_name_of_config_yaml_means_what_is_written_there() -> None:
    own = NamedTriggers({"next": NamedTrigger(kind="command", line="!bg next door")})
    assert typed(own, "next") == ["!bg next door"]


def test_a_cycle_goes_round() -> None:
    assert typed(named(), "tour", 5) == ["!bg one", "!bg two", "!bg three", "!bg one", "!bg two"]


def test_random_never_repeats_a_line_at_once_and_reaches_every_line() -> None:
    lines = typed(named(), "luck", 400)
    assert all(line != following for line, following in pairwise(lines))
    assert {lines.count(f"!bg {number}") > 40 for number in range(5)} == {True}


def test_random_with_a_seed_is_repeatable() -> None:
    assert typed(named(seed=5), "luck", 50) == typed(named(seed=5), "luck", 50)
    assert typed(named(seed=5), "luck", 50) != typed(named(seed=6), "luck", 50)


def test_a_list_of_one_is_chosen_again_and_again() -> None:
    assert typed(NamedTriggers({"one": NamedTrigger(kind="random", lines=("!bg a",))}), "one", 3) == ["!bg a"] * 3


def test_a_bounced_press_counts_once_and_does_not_delay_another_name() -> None:
    pad = named()
    presses = [("harbour", 1.0), ("harbour", 1.1), ("cave", 1.1), ("harbour", 1.2)]
    orders = [pad.interpret(KeyPress("p", "deck", name, at)) for name, at in presses]
    assert [order is not None for order in orders] == [True, False, True, True]


def test_panic_and_clear_are_never_taken_for_a_bounce() -> None:
    pad = named()
    assert all(
        pad.interpret(KeyPress("p", "deck", name, 1.0 + n / 100)) for name in ("panic", "clear") for n in range(5)
    )


def test_every_line_that_may_be_typed_is_listed_for_the_start() -> None:
    lines = list(named().lines())
    assert ("cave", "!bg crystal cave") in lines
    assert [line for name, line in lines if name == "tour"] == ["!bg one", "!bg two", "!bg three"]
    assert "panic" not in dict(lines)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "prompt"}, "prompt is missing; kind prompt needs it"),
        ({"kind": "cycle", "lines": []}, "lines is missing"),
        ({"kind": "panic", "line": "!bg a"}, "kind panic does not use line; remove it"),
        ({"kind": "pause", "layer": "meme"}, "kind pause does not use layer"),
        ({"kind": "explode"}, "use one of command, prompt, random, cycle, undo, .*, panic, .*, cut"),
        ({"kind": "command", "line": "!a", "speed": 3}, "speed"),
    ],
)
def test_an_entry_that_cannot_work_is_refused_with_the_fix(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        NamedTrigger.model_validate(wrong)
