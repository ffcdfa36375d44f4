"""Several slots as one generator: the best of them speaks, and those that do not draw are named."""

from __future__ import annotations

import pytest

from streamer.generator.slot_summary import summarize_abilities, summarize_active, summarize_health
from streamer.interfaces import Abilities, Health, HealthState
from tests.support.easy_slot import EasySlot


async def slots(*states: HealthState) -> list[EasySlot]:
    made = [EasySlot(f"pc{number}") for number in range(1, len(states) + 1)]
    for slot, state in zip(made, states, strict=True):
        slot.state, slot.detail = state, f"is {state}"
    return made


async def test_a_single_slot_is_shown_as_it_is() -> None:
    (one,) = await slots(HealthState.WARMING)
    assert summarize_health([one]) == one.health()
    assert summarize_active([one]) is one.active


@pytest.mark.parametrize(
    ("states", "state", "detail"),
    [
        ((HealthState.BUSY, HealthState.READY), HealthState.READY, "2 of 2 slots draw"),
        ((HealthState.BUSY, HealthState.COLD), HealthState.BUSY, "1 of 2 slots draw; pc2: is cold"),
        ((HealthState.COLD, HealthState.WARMING), HealthState.WARMING, "pc1: is cold; pc2: is warming"),
        (
            (HealthState.FAILED, HealthState.RECONNECTING),
            HealthState.RECONNECTING,
            "pc1: is failed; pc2: is reconnecting",
        ),
    ],
)
async def test_the_best_of_several_is_the_state(
    states: tuple[HealthState, ...], state: HealthState, detail: str
) -> None:
    assert summarize_health(await slots(*states)) == Health("generator", state, detail)


async def test_what_draws_is_named_first_and_a_fallback_or_a_standby_last() -> None:
    fallen, standby, good = await slots(HealthState.READY, HealthState.READY, HealthState.BUSY)
    fallen.active = {"backend": "procedural", "fallback": "no GPU"}
    standby.place = EasySlot("attic", standby=True).place
    active = summarize_active([fallen, standby, good])
    assert active["backend"] == "painter of pc3"
    assert "fallback" not in active
    assert active["slot pc1"] == "ready, procedural"
    good.state = HealthState.COLD
    assert summarize_active([fallen, standby, good])["fallback"] == "no GPU"
    assert summarize_active([fallen, standby, good])["slot pc3"] == "cold"


async def test_what_one_slot_that_draws_can_do_can_be_asked_for() -> None:
    painter, model = await slots(HealthState.READY, HealthState.COLD)
    painter.abilities, model.abilities = Abilities(edits=False, most_steps=8), Abilities(most_steps=4)
    assert summarize_abilities([painter, model]) == Abilities(edits=False, most_steps=8)
    model.state = HealthState.READY
    assert summarize_abilities([painter, model]) == Abilities(edits=True, most_steps=8)
    model.abilities = Abilities()
    assert summarize_abilities([painter, model]) == Abilities()
