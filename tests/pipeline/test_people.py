"""Moderators speak of names, bans hold ids: both find the same person."""

from __future__ import annotations

import pytest

from streamer.pipeline.people import People, key_of
from streamer.types import Actor, Role

ANN = Actor("UCabc", "Ann", Role.VIEWER)


@pytest.mark.parametrize("typed", ["ann", "@Ann", " ANN ", "ucabc", "UCabc"])
def test_somebody_who_asked_is_found_by_name_and_by_id_in_any_letters(typed: str) -> None:
    people = People()
    people.remember(ANN)
    assert people.find(typed) == ANN


def test_nobody_is_found_who_never_asked() -> None:
    assert People().find("ann") is None
    assert key_of("@Ann ") == "ann"


def test_a_new_name_is_found_and_the_old_one_still_means_the_same_id() -> None:
    people = People()
    people.remember(ANN)
    people.remember(Actor("UCabc", "Anna", Role.VIP))
    found = [people.find(name) for name in ("anna", "ann", "ucabc")]
    assert [actor.id if actor else None for actor in found] == ["UCabc", "UCabc", "UCabc"]
