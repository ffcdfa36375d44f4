"""Who gets a GPU that is free: time is a number, and no GPU is there."""

from __future__ import annotations

from collections import Counter

import pytest

from streamer.generator.fair_share import ASSUMED_S, KEY_EVERY_S, FairShare, Share, Turn
from streamer.types import Lane


def serve(shares: FairShare, waiting: list[Turn], seconds: float, now: float) -> Turn:
    """Give the GPU to whoever is next, and let it draw for so long."""
    chosen = shares.choose(waiting, now)
    assert chosen is not None
    shares.begin(chosen, now)
    shares.end(chosen, seconds)
    return chosen


def overload(weights: list[float], picture_s: list[float], rounds: int) -> list[float]:
    """Let channels wait all the time; return how many GPU seconds each of them got."""
    shares, channels = FairShare(), [Share(weight) for weight in weights]
    turns, got, now = [Turn(share, Lane.CHAT) for share in channels], Counter[int](), 0.0
    for _ in range(rounds):
        chosen = turns.index(serve(shares, turns, picture_s[turns.index(shares.choose(turns, now) or turns[0])], now))
        turns[chosen] = Turn(channels[chosen], Lane.CHAT)
        got[chosen] += round(picture_s[chosen] * 1000)
        now += picture_s[chosen]
    return [got[number] / 1000 for number in range(len(weights))]


def test_nobody_is_chosen_where_nobody_waits() -> None:
    assert FairShare().choose([], 0.0) is None


def test_whoever_draws_twice_as_long_draws_half_as_often() -> None:
    short, long = overload([1, 1], [0.2, 0.4], 300)
    assert short == pytest.approx(long, rel=0.02)


def test_twice_the_weight_gets_twice_the_gpu() -> None:
    one, two = overload([1, 2], [0.2, 0.2], 300)
    assert two == pytest.approx(2 * one, rel=0.02)


def test_a_modest_channel_draws_two_pictures_in_a_row_before_a_flood_goes_on() -> None:
    shares, flood, modest = FairShare(), Share(), Share()
    for tenth in range(50):
        serve(shares, [Turn(flood, Lane.CHAT)], 0.1, tenth / 10)
    order = []
    for tenth in range(50, 60):
        chosen = serve(shares, [Turn(flood, Lane.CHAT), Turn(modest, Lane.CHAT)], 0.1, tenth / 10)
        order.append("modest" if chosen.share is modest else "flood")
    assert order[:2] == ["modest", "modest"]
    assert order.count("flood") >= 2, "what it saved up is soon spent"


def test_a_channel_that_slept_has_hardly_any_credit_and_is_not_last_either() -> None:
    shares, busy, late = FairShare(), Share(), Share()
    for second in range(100):
        serve(shares, [Turn(busy, Lane.CHAT)], 1.0, float(second))
    order = []
    for second in range(100, 110):
        chosen = serve(shares, [Turn(busy, Lane.CHAT), Turn(late, Lane.CHAT)], 1.0, float(second))
        order.append("late" if chosen.share is late else "busy")
    assert order.count("late") <= order.count("busy") + 2
    assert order[0] == "late"


def test_a_key_comes_before_chat_and_before_no_other_channels_due_key() -> None:
    shares, poor, rich = FairShare(), Share(), Share(clock=50.0)
    chat, key = Turn(poor, Lane.CHAT), Turn(rich, Lane.BROADCASTER)
    assert shares.choose([chat, key], 0.0) is key
    assert shares.choose([Turn(poor, Lane.BROADCASTER), key], 0.0) is not key


def test_a_hammered_key_comes_first_once_in_its_time() -> None:
    shares, fan, other = FairShare(), Share(), Share()
    seen = []
    for tenth in range(40):
        waiting = [Turn(other, Lane.CHAT), Turn(fan, Lane.BROADCASTER)]
        seen.append(serve(shares, waiting, 0.1, tenth / 10).share is fan)
    assert seen[0]
    assert seen[round(KEY_EVERY_S * 10)]
    assert sum(seen) <= 21, "beyond its due keys, a channel of keys gets no more than its half"


def test_a_second_key_of_a_channel_does_not_overtake_while_the_first_is_drawn() -> None:
    shares, fan, other = FairShare(), Share(), Share()
    first = Turn(fan, Lane.BROADCASTER)
    shares.begin(first, 0.0)
    waiting = [Turn(other, Lane.CHAT), Turn(fan, Lane.BROADCASTER)]
    assert shares.choose(waiting, KEY_EVERY_S + 1) is waiting[0]
    shares.end(first, 30.0)
    assert shares.choose(waiting, KEY_EVERY_S + 1) is waiting[1]


def test_a_picture_that_lost_its_gpu_goes_before_everybody() -> None:
    shares, rich = FairShare(), Share(clock=99.0)
    again = Turn(rich, Lane.CHAT, again=True)
    assert shares.choose([Turn(Share(), Lane.BROADCASTER), Turn(Share(), Lane.CHAT), again], 0.0) is again


def test_what_only_its_asker_sees_comes_after_what_everybody_sees() -> None:
    shares, private = FairShare(), Turn(Share(), Lane.PRIVATE)
    assert shares.choose([private, chat := Turn(Share(clock=9.0), Lane.CHAT)], 0.0) is chat
    assert shares.choose([private], 0.0) is private


def test_a_channel_with_several_pictures_in_flight_pays_for_each_when_it_begins() -> None:
    shares, greedy, modest = FairShare(), Share(), Share()
    first = Turn(greedy, Lane.CHAT)
    shares.begin(first, 0.0)
    waiting = [Turn(greedy, Lane.CHAT), Turn(modest, Lane.CHAT)]
    assert shares.choose(waiting, 0.0) is waiting[1]
    assert greedy.clock == ASSUMED_S


def test_a_turn_that_drew_nothing_costs_nothing() -> None:
    shares, share = FairShare(), Share(picture_s=3.0)
    turn = Turn(share, Lane.CHAT)
    shares.begin(turn, 0.0)
    shares.end(turn, 0.0)
    assert (share.clock, share.picture_s) == (0.0, 3.0)
