"""What a slot must offer: every kind that comes with the program offers it."""

from __future__ import annotations

import inspect

import pytest

from streamer import plugins
from streamer.generator.ladder import Ladder
from streamer.generator.slot import Slot, SlotOptions
from streamer.generator.supervisor import Supervisor
from tests.support.easy_slot import EasySlot


@pytest.mark.parametrize("kind", [Supervisor, Ladder, EasySlot])
def test_every_kind_has_every_member(kind: type) -> None:
    wanted = {name for name in vars(Slot) if not name.startswith("_")} - {"place", "active", "abilities", "restarts"}
    assert wanted <= {name for name, _ in inspect.getmembers(kind)}


@pytest.mark.parametrize("name", plugins.names("slot"))
def test_the_options_of_every_kind_have_what_all_slots_have(name: str) -> None:
    assert issubclass(plugins.options_of("slot", name), SlotOptions)
