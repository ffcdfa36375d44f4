"""Says of several slots together what the panel, the API and the queue ask of one generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamer.generator.slot import Slot
from streamer.interfaces import Abilities, Health, HealthState

BEST_FIRST = (
    HealthState.READY, HealthState.BUSY, HealthState.WARMING, HealthState.COLD, HealthState.RECONNECTING,
    HealthState.PARKED, HealthState.FAILED,
)  # fmt: skip
NAME = "generator"


def summarize_health(slots: Sequence[Slot]) -> Health:
    """Return the health of the slot that does best; of several, say how many draw and why the others do not."""
    if len(slots) == 1:
        return slots[0].health()
    best = _best(slots).health()
    if not best.draws:
        return Health(NAME, best.state, "; ".join(f"{slot.place.name}: {slot.health().detail}" for slot in slots))
    missing = [f"{slot.place.name}: {slot.health().detail}" for slot in slots if not slot.health().draws]
    drawing = f"{len(slots) - len(missing)} of {len(slots)} slots draw"
    return Health(NAME, best.state, "; ".join([drawing, *missing]))


def summarize_active(slots: Sequence[Slot]) -> Mapping[str, str]:
    """Return what the best slot has in use; of several, add one line for each."""
    active = _best(slots).active
    if len(slots) == 1:
        return active
    return {**active, **{f"slot {slot.place.name}": _line_of(slot) for slot in slots}}


def summarize_abilities(slots: Sequence[Slot]) -> Abilities:
    """Return what at least one of the slots that draw can draw; while none draws, what any of them may come to."""
    drawing = [slot for slot in slots if slot.health().draws] or slots
    steps = [slot.abilities.most_steps for slot in drawing]
    limits = [limit for limit in steps if limit is not None]
    return Abilities(
        edits=any(slot.abilities.edits for slot in drawing),
        most_steps=max(limits) if len(limits) == len(steps) else None,
    )


def _best(slots: Sequence[Slot]) -> Slot:
    """Return the slot that does best: one that had to fall back, or only stands by, after all others."""

    def order(slot: Slot) -> tuple[bool, bool, bool, int]:
        health = slot.health()
        place = BEST_FIRST.index(health.state) if health.state in BEST_FIRST else len(BEST_FIRST)
        return not health.draws, slot.place.standby, "fallback" in slot.active, place

    return min(slots, key=order)


def _line_of(slot: Slot) -> str:
    backend, health = slot.active.get("backend", ""), slot.health()
    return ", ".join(filter(None, (str(health.state), backend if health.draws else "")))
