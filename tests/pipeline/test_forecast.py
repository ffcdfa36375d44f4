"""What is told about the wait is what then happens, if nobody else comes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline.exposition import exposition
from streamer.pipeline.forecast import Upcoming, in_words, newcomer_waits, shown_in, start_times
from streamer.types import Role
from tests.support.show import opened


def six_s(layer: str, waiting: int) -> float:
    return 6.0


def test_pictures_of_one_layer_are_drawn_one_after_another_each_after_the_last_was_seen() -> None:
    line = [Upcoming("bg", 0.5)] * 3
    assert start_times(line, 10.0, {}, six_s) == [10.0, 16.5, 23.0]
    assert start_times(line, 10.0, {"bg": 9.0}, six_s) == [15.0, 21.5, 28.0]


def test_a_free_layer_does_not_wait_for_another_one() -> None:
    line = [Upcoming("bg", 1.0), Upcoming("bg", 1.0), Upcoming("meme", 2.0)]
    assert start_times(line, 0.0, {}, six_s) == [0.0, 7.0, 1.0]


def test_the_streamers_picture_does_not_wait_and_a_held_one_keeps_no_layer() -> None:
    own, viewer = Upcoming("bg", 1.0, waits=False), Upcoming("bg", 1.0)
    assert start_times([own, viewer], 0.0, {"bg": -1.0}, six_s) == [0.0, 7.0]
    held = Upcoming("bg", 1.0, keeps=False)
    assert start_times([held, held, viewer], 0.0, {}, six_s) == [0.0, 1.0, 2.0]


def test_a_delayed_picture_keeps_its_layer_from_when_it_is_shown() -> None:
    assert start_times([Upcoming("bg", 1.0, delay_s=3.0), Upcoming("bg", 1.0)], 0.0, {}, six_s) == [0.0, 10.0]


def test_the_time_on_air_is_that_of_a_line_that_grows_shorter() -> None:
    assert start_times([Upcoming("bg", 0.0)] * 4, 0.0, {}, lambda layer, waiting: 6.0 / waiting) == [
        0.0,
        2.0,
        5.0,
        11.0,
    ]


def drawn_in_turn(line: list[Upcoming], air_s: float) -> list[float]:
    """Do what the show does, in steps of a tenth of a second: the slow and obvious way."""
    waiting, starts, shown = dict(enumerate(line)), [0.0] * len(line), {"bg": -100, "meme": -100}
    now, busy_until = 0, 0
    while waiting:
        ready = [
            n for n, one in waiting.items()
            if not one.waits or shown[one.layer] + round(air_s * 10) <= now
        ]  # fmt: skip
        if busy_until <= now and ready:
            one = waiting.pop(ready[0])
            starts[ready[0]], busy_until = now / 10, now + round(one.draw_s * 10)
            if one.keeps:
                shown[one.layer] = busy_until + round(one.delay_s * 10)
        else:
            now += 1
    return starts


# The streamer's own stand first in line.
PICTURES = st.builds(
    Upcoming, st.sampled_from(["bg", "meme"]), st.sampled_from([0.1, 0.5, 2.0]), st.sampled_from([0.0, 1.0]),
    waits=st.booleans(), keeps=st.booleans(),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(PICTURES, max_size=8), st.sampled_from([0.0, 2.0, 6.0]))
def test_a_forecast_is_what_happens(pictures: list[Upcoming], air_s: float) -> None:
    line = sorted(pictures, key=lambda one: one.waits)
    forecast = start_times(line, 0.0, {}, lambda layer, waiting: air_s)
    assert forecast == pytest.approx(drawn_in_turn(line, air_s))


async def test_the_status_tells_the_wait_of_everybody_and_of_a_newcomer(tmp_path: Path) -> None:
    async with opened(tmp_path, at_least_s=6.0) as room:
        room.show.active.draw_times.assumed_s = 0.5
        assert newcomer_waits(room.show) == {"background": 0.5, "meme": 0.5}
        await room.say("!bg one", "zoe")
        await room.until(lambda: room.easel.drawn)
        second, own = await room.say("!bg two"), await room.say("!meme three | a", "ben")
        waits, new = room.status().waits, room.status().newcomer_waits
        assert waits[own] == pytest.approx(1.0, abs=0.01)
        assert waits[second] == pytest.approx(7.0, abs=0.01)
        assert new == pytest.approx({"background": 13.5, "meme": 1.5}, abs=0.01)
        assert b'streamer_expected_wait_seconds{layer="background"} 13.' in exposition(room.show)


async def test_who_waits_for_the_end_of_a_pause_is_not_in_the_streamers_way(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        room.show.active.draw_times.assumed_s = 5.0
        await room.say("!bg blocker", "zoe")
        await room.until(lambda: room.easel.drawn)
        await room.say("!bg one")
        await room.order("!pause")
        own = await room.say("!bg mine", "me", Role.BROADCASTER)
        waits = shown_in(room.show)
        assert next(iter(waits)) == own
        assert waits[own] == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (31.6, "32 s"), (119.0, "119 s"), (150.0, "2 min")])
def test_a_time_is_told_as_people_say_it(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
