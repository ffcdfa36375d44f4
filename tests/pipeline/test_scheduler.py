"""Facts about who is drawn next: order, fairness, bounds, and that every accepted request ends exactly once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import ValidationError

from streamer.pipeline.queue_options import QueueOptions
from streamer.pipeline.scheduler import Scheduler, preempts
from streamer.types import Actor, Caption, ImageRequest, Lane, RequestState, Role, SamplingParams
from tests.support.queue_requests import request


def scheduler(**options: float) -> Scheduler:
    return Scheduler(QueueOptions.model_validate(options))


def drawn_ids(queue: Scheduler) -> list[str]:
    return [one.id for one in iter(lambda: queue.next(0.0), None)]


def test_an_empty_queue_has_nothing_to_draw_and_nothing_to_wake_up_for() -> None:
    queue = scheduler()
    assert (queue.next(0.0), queue.wakeup(0.0), len(queue), queue.pending(), queue.expire(9.0)) == (
        None,
        None,
        0,
        [],
        [],
    )


def test_the_streamer_is_drawn_before_paid_before_chat() -> None:
    queue = scheduler()
    chat, paid, own = request("a"), request("b", lane=Lane.PAID), request("c", lane=Lane.BROADCASTER)
    for one in (chat, paid, own):
        assert queue.submit(one, 0.0).refusal is None
    assert queue.pending() == [own, paid, chat]
    assert drawn_ids(queue) == [own.id, paid.id, chat.id]


def test_paid_requests_are_drawn_in_the_order_they_came_even_from_one_viewer() -> None:
    queue = scheduler(per_viewer=1)
    paid = [request("whale", lane=Lane.PAID) for _ in range(4)]
    assert all(queue.submit(one, 0.0).ended == () for one in paid)
    assert drawn_ids(queue) == [one.id for one in paid]


def test_the_newest_text_of_a_viewer_replaces_the_older_and_keeps_its_place() -> None:
    queue = scheduler()
    old, other, new = request("ann"), request("bob"), request("ann")
    queue.submit(old, 0.0)
    queue.submit(other, 0.0)
    (ending,) = queue.submit(new, 1.0).ended
    assert (ending.request, ending.state, ending.refusal.request_id) == (old, RequestState.SUPERSEDED, old.id)
    assert drawn_ids(queue) == [new.id, other.id]


def test_viewers_take_turns_when_each_may_hold_several() -> None:
    queue = scheduler(per_viewer=3)
    ann = [request("ann") for _ in range(3)]
    bob = [request("bob") for _ in range(2)]
    for one in (*ann, *bob):
        queue.submit(one, 0.0)
    turns = [ann[0], bob[0], ann[1], bob[1], ann[2]]
    assert queue.pending() == turns
    assert drawn_ids(queue) == [one.id for one in turns]


def test_a_viewer_whose_turn_is_used_up_waits_behind_who_came_meanwhile() -> None:
    queue = scheduler(per_viewer=2)
    first, second, late = request("ann"), request("ann"), request("bob")
    queue.submit(first, 0.0)
    queue.submit(second, 0.0)
    assert queue.next(0.0) == first
    queue.submit(late, 0.0)
    assert queue.pending() == [second, late]
    again = request("ann")
    queue.submit(again, 0.0)
    assert queue.pending() == [second, late, again]


def test_replacing_one_of_several_moves_the_rest_up_and_puts_the_newest_last() -> None:
    queue = scheduler(per_viewer=2)
    one, two, other, three = request("ann"), request("ann"), request("bob"), request("ann")
    for each in (one, two, other):
        queue.submit(each, 0.0)
    assert [ending.request for ending in queue.submit(three, 0.0).ended] == [one]
    assert queue.pending() == [two, other, three]


def test_equal_viewers_get_equal_shares() -> None:
    """Jain's index over 20 viewers, one of whom asks ten times as often as the others."""
    queue, viewers = scheduler(limit=50), [f"v{n}" for n in range(20)]
    shares: Counter[str] = Counter()
    for _ in range(400):
        for _ in range(10):
            queue.submit(request("v0"), 0.0)
        for viewer in viewers:
            queue.submit(request(viewer), 0.0)
        drawn = queue.next(0.0)
        assert drawn is not None
        shares[drawn.actor.id] += 1
    got = [shares[viewer] for viewer in viewers]
    assert sum(got) ** 2 / (len(got) * sum(share**2 for share in got)) >= 0.99


def test_an_identical_prompt_joins_and_is_drawn_once() -> None:
    queue = scheduler()
    leader, follower = request("ann", "a cat"), request("bob", "a cat")
    assert queue.submit(leader, 0.0).leader_id is None
    assert queue.submit(follower, 0.0).leader_id == leader.id
    assert (len(queue), queue.followers(leader.id), queue.followers(follower.id)) == (1, (follower,), ())
    assert queue.position(follower.id) == queue.position(leader.id) == 1
    assert drawn_ids(queue) == [leader.id]
    assert queue.followers(leader.id) == (follower,)
    assert queue.finish(leader.id) == (follower,)
    assert (queue.finish(leader.id), queue.followers(leader.id)) == ((), ())


def test_a_follower_stands_in_for_a_leader_that_leaves() -> None:
    queue = scheduler()
    leader, follower, newer = request("ann", "a cat"), request("bob", "a cat"), request("ann", "a dog")
    queue.submit(leader, 0.0)
    queue.submit(follower, 0.0)
    assert [ending.request for ending in queue.submit(newer, 0.0).ended] == [leader]
    assert queue.pending() == [newer, follower]


def test_a_paid_request_that_joins_lifts_the_chat_request_with_it() -> None:
    queue = scheduler()
    first, chat, paid = request("ann"), request("bob", "a cat"), request("eve", "a cat", Lane.PAID)
    for one in (first, chat):
        queue.submit(one, 0.0)
    assert queue.submit(paid, 0.0).leader_id is None
    assert queue.pending() == [paid, first]
    assert queue.followers(paid.id) == (chat,)


def test_pictures_that_differ_in_size_or_caption_are_not_the_same() -> None:
    queue = scheduler()
    plain = request("ann", "a cat")
    queue.submit(plain, 0.0)
    square = replace(request("bob", "a cat"), params=SamplingParams(512, 512, 4, 1.0, 1))
    captioned = replace(request("eve", "a cat"), caption=Caption("top", "bottom", "classic"))
    assert queue.submit(square, 0.0).leader_id is None
    assert queue.submit(captioned, 0.0).leader_id is None
    assert len(queue) == 3


def test_chat_is_refused_by_a_full_queue_and_nobody_is_harmed() -> None:
    queue = scheduler(limit=2)
    kept = [request("ann"), request("bob")]
    for one in kept:
        queue.submit(one, 0.0)
    late = request("eve")
    submission = queue.submit(late, 0.0)
    assert submission.refusal is not None
    assert (submission.refusal.request_id, submission.refusal.rule, submission.ended) == (late.id, "queue", ())
    assert queue.pending() == kept


def test_replacing_ones_own_request_is_possible_in_a_full_queue() -> None:
    queue = scheduler(limit=1)
    queue.submit(request("ann"), 0.0)
    newer = request("ann")
    assert queue.submit(newer, 0.0).refusal is None
    assert queue.pending() == [newer]


def test_a_viewer_keeps_the_old_request_when_the_new_one_finds_no_room() -> None:
    queue = scheduler(limit=1)
    queue.submit(request("bob", "a cat"), 0.0)
    old = request("ann", "a cat")
    queue.submit(old, 0.0)
    submission = queue.submit(request("ann", "a dog"), 0.0)
    assert submission.refusal is not None
    assert submission.ended == ()
    assert queue.position(old.id) == 1


def test_a_paid_request_takes_the_last_place_of_chat() -> None:
    queue = scheduler(limit=2, per_viewer=2)
    first, second, paid = request("ann"), request("ann"), request("eve", lane=Lane.PAID)
    queue.submit(first, 0.0)
    queue.submit(second, 0.0)
    (ending,) = queue.submit(paid, 0.0).ended
    assert (ending.request, ending.state) == (second, RequestState.REFUSED)
    assert queue.pending() == [paid, first]


def test_a_queue_full_of_paid_requests_refuses_the_next_one() -> None:
    queue = scheduler(limit=2)
    for _ in range(2):
        queue.submit(request(lane=Lane.PAID), 0.0)
    assert queue.submit(request(lane=Lane.PAID), 0.0).refusal is not None


def test_the_streamer_is_never_refused_and_the_ninth_replaces_the_oldest() -> None:
    queue = scheduler(limit=1)
    queue.submit(request(lane=Lane.PAID), 0.0)
    own = [request("me", lane=Lane.BROADCASTER) for _ in range(9)]
    submissions = [queue.submit(one, 0.0) for one in own]
    assert all(one.refusal is None for one in submissions)
    assert [ending.request for one in submissions for ending in one.ended] == [own[0]]
    assert queue.pending()[:8] == own[1:]


def test_the_same_line_typed_by_hundreds_costs_one_drawing_and_bounded_memory() -> None:
    queue = scheduler(limit=5)
    leader = request("v0", "raid")
    queue.submit(leader, 0.0)
    refused = [queue.submit(request(f"v{n}", "raid"), 0.0).refusal is not None for n in range(1, 300)]
    assert (len(queue), refused.count(False), len(queue.followers(leader.id))) == (1, 99, 99)
    own = request("me", "raid", Lane.BROADCASTER)
    assert queue.submit(own, 0.0).refusal is None
    assert queue.next(0.0) == own


def test_expired_requests_end_and_are_never_handed_out() -> None:
    queue = scheduler()
    stale, fresh = request("ann", expires_at=5.0), request("bob", expires_at=9.0)
    queue.submit(stale, 0.0)
    queue.submit(fresh, 0.0)
    assert queue.wakeup(1.0) == 5.0
    assert queue.wakeup(6.0) == 6.0
    assert queue.next(5.0) == fresh
    (ending,) = queue.expire(5.0)
    assert (ending.request, ending.state, ending.refusal.rule) == (stale, RequestState.EXPIRED, "waited")
    assert queue.wakeup(5.0) is None


def test_a_follower_outlives_its_expired_leader() -> None:
    queue = scheduler()
    leader, follower = request("ann", "a cat", expires_at=5.0), request("bob", "a cat", expires_at=9.0)
    queue.submit(leader, 0.0)
    queue.submit(follower, 4.0)
    assert [ending.request for ending in queue.expire(5.0)] == [leader]
    assert queue.next(5.0) == follower


def test_dropping_takes_out_what_waits_and_what_follows_a_picture_being_drawn() -> None:
    queue = scheduler()
    leader, follower, waiting = request("ann", "a cat"), request("bob", "a cat"), request("bob", "a dog")
    queue.submit(leader, 0.0)
    queue.submit(follower, 0.0)
    assert queue.next(0.0) == leader
    queue.submit(waiting, 0.0)
    assert sorted(one.id for one in queue.drop(lambda one: one.actor.id == "bob")) == sorted([follower.id, waiting.id])
    assert (len(queue), queue.finish(leader.id)) == (0, ())


def test_submitting_an_id_that_waits_already_changes_nothing() -> None:
    queue = scheduler()
    once = request("ann")
    queue.submit(once, 0.0)
    again = queue.submit(once, 0.0)
    assert (again.refusal, again.ended, queue.pending()) == (None, (), [once])


def test_positions_count_from_one() -> None:
    queue = scheduler()
    waiting = [request(f"v{n}") for n in range(3)]
    for one in waiting:
        queue.submit(one, 0.0)
    assert [queue.position(one.id) for one in waiting] == [1, 2, 3]
    assert queue.position("unknown") is None


def test_somebody_who_joined_has_the_place_of_the_picture_they_joined() -> None:
    queue = scheduler(per_viewer=2)
    for one in (request("ann"), request("bob", "a cat"), request("eve"), request("eve", "a cat")):
        queue.submit(one, 0.0)
    assert [queue.place_of(who) for who in ("ann", "bob", "eve", "zoe")] == [1, 2, 2, None]


def test_no_time_counts_while_the_show_could_not_draw_a_request() -> None:
    queue = scheduler()
    stopped, drawable = request("ann", expires_at=30.0), request("bob", expires_at=30.0)
    for one in (stopped, drawable):
        queue.submit(one, 0.0)

    def limit_s(one: ImageRequest) -> float | None:
        return 900.0 if one.actor.id == "ann" else None

    queue.note_stops(10.0, limit_s)
    queue.note_stops(20.0, limit_s)
    assert queue.wakeup(10.0) == 30.0
    assert [ending.request for ending in queue.expire(30.0)] == [drawable]
    assert queue.wakeup(30.0) == 910.0
    queue.note_stops(500.0, lambda one: None)
    assert queue.wakeup(500.0) == 520.0, "it has as much time left as when the stop began"
    assert queue.expire(519.9) == []
    assert queue.next(519.9) is not None


def test_a_stop_that_lasts_too_long_ends_the_wait_and_says_so() -> None:
    queue = scheduler()
    queue.submit(request("ann", expires_at=30.0), 0.0)
    queue.note_stops(10.0, lambda one: 900.0)
    queue.note_stops(20.0, lambda one: 60.0)
    assert queue.expire(69.9) == []
    (ending,) = queue.expire(70.0)
    assert (ending.state, ending.refusal.rule) == (RequestState.EXPIRED, "waited")
    assert "nothing could be drawn" in ending.refusal.reason


def test_a_preempted_request_does_not_expire_by_a_stop() -> None:
    queue = scheduler()
    queue.submit(request("ann"), 0.0)
    drawn = queue.next(0.0)
    assert drawn is not None
    queue.requeue(drawn.id)
    queue.note_stops(1.0, lambda one: 5.0)
    assert (queue.wakeup(1.0), queue.expire(1e9)) == (None, [])


def prompts(line: list[ImageRequest] | None) -> list[str]:
    return [one.prompt for one in line or []]


def test_the_place_of_a_request_is_known_before_it_is_accepted() -> None:
    queue = scheduler(per_viewer=2)
    for one in (request("ann", "a1"), request("ann", "a2"), request("bob", "b1")):
        queue.submit(one, 0.0)
    new = [
        request("eve", "e1"), request("bob", "b2"),
        request("eve", "e2", Lane.PAID), request("me", "m", Lane.BROADCASTER),
    ]  # fmt: skip
    assert [prompts(queue.place_for(one)) for one in new] == [
        ["a1", "b1", "e1", "a2"], ["a1", "b1", "a2", "b2"], ["e2", "a1", "b1", "a2"], ["m", "a1", "b1", "a2"],
    ]  # fmt: skip
    assert prompts(queue.pending()) == ["a1", "b1", "a2"], "asking changes nothing"


def test_the_place_of_a_request_that_replaces_or_joins_another_is_known_too() -> None:
    queue = scheduler()
    for one in (request("ann", "a1"), request("bob", "b1"), request("eve", "b1"), request("joe", "j1")):
        queue.submit(one, 0.0)
    assert prompts(queue.place_for(request("ann", "a2"))) == ["a2", "b1", "j1"]
    assert prompts(queue.place_for(request("bob", "b2"))) == ["a1", "b2", "b1", "j1"]
    assert prompts(queue.place_for(request("zoe", "j1"))) == ["a1", "b1", "j1"]
    assert prompts(queue.place_for(request("zoe", "j1", Lane.PAID))) == ["j1", "a1", "b1"]
    drawn = queue.next(0.0)
    assert drawn is not None
    assert queue.place_for(request("zoe", "a1")) is None


@pytest.mark.parametrize(
    ("drawn", "waiting", "steps_left", "put_off", "stops"),
    [
        (Lane.CHAT, Lane.BROADCASTER, 4, 0, True),
        (Lane.PAID, Lane.BROADCASTER, 2, 1, True),
        (Lane.CHAT, Lane.BROADCASTER, 1, 0, False),
        (Lane.CHAT, Lane.BROADCASTER, 0, 0, False),
        (Lane.CHAT, Lane.BROADCASTER, 4, 2, False),
        (Lane.BROADCASTER, Lane.BROADCASTER, 4, 0, False),
        (Lane.CHAT, Lane.PAID, 4, 0, False),
    ],
)
def test_only_a_viewers_picture_makes_way_only_for_the_streamers_and_only_if_it_pays(
    drawn: Lane, waiting: Lane, steps_left: int, put_off: int, stops: bool
) -> None:
    assert preempts(drawn, waiting, steps_left, put_off) is stops


def test_what_is_put_off_and_whoever_joined_it_wait_again_in_their_old_places() -> None:
    queue = scheduler()
    paid, first, joined, later = (
        request("p", lane=Lane.PAID), request("ann", "a cat"), request("bob", "a cat"), request("eve"),
    )  # fmt: skip
    for one in (first, joined, later):
        queue.submit(one, 0.0)
    assert queue.next(0.0) == first
    own = request("me", lane=Lane.BROADCASTER)
    for one in (own, paid):
        queue.submit(one, 0.0)
    assert queue.preempts(first.id, own, 4)
    queue.requeue(first.id)
    assert [one.id for one in queue.pending()] == [own.id, paid.id, first.id, later.id]
    assert [one.id for one in queue.followers(first.id)] == [joined.id]
    assert (queue.finish(first.id), queue.position(joined.id)) == ((), 3)


def test_a_picture_is_put_off_twice_and_then_drawn_to_its_end_with_whoever_joined_meanwhile() -> None:
    queue, own = scheduler(), request("me", lane=Lane.BROADCASTER)
    queue.submit(request("ann", "a cat", request_id="cat"), 0.0)
    willing = []
    for round_ in range(3):
        assert drawn_ids(queue) == ["cat"]
        willing.append(queue.preempts("cat", own, 4))
        queue.requeue("cat")
        queue.submit(request(f"v{round_}", "a cat"), 0.0)
    assert willing == [True, True, False]


def test_nothing_makes_way_when_the_streamer_does_not_want_it_or_nothing_is_drawn() -> None:
    own = request("me", lane=Lane.BROADCASTER)
    for queue in (scheduler(preempt=False), scheduler()):
        queue.submit(request("ann", request_id="cat"), 0.0)
        assert not queue.preempts("cat", own, 4)
    assert queue.next(0.0) is not None
    assert queue.preempts("cat", own, 4)


def test_what_is_put_off_does_not_expire() -> None:
    queue = scheduler()
    queue.submit(request("ann", expires_at=5.0), 0.0)
    drawn = queue.next(4.0)
    assert drawn is not None
    queue.requeue(drawn.id)
    assert (queue.wakeup(0.0), queue.expire(1e9)) == (None, [])
    assert drawn_ids(queue) == [drawn.id]


def test_a_viewer_whose_picture_was_put_off_may_ask_as_before_and_is_not_replaced() -> None:
    queue = scheduler(per_viewer=1)
    first, second, third, other = request("ann"), request("ann"), request("ann"), request("bob")
    queue.submit(first, 0.0)
    assert queue.next(0.0) == first
    queue.submit(second, 0.0)
    queue.requeue(first.id)
    queue.submit(other, 0.0)
    assert [ending.request for ending in queue.submit(third, 0.0).ended] == [second]
    assert drawn_ids(queue) == [first.id, third.id, other.id], "its second start costs no second turn"


def test_what_was_put_off_takes_no_place_and_is_never_sent_away_for_a_better_lane() -> None:
    queue = scheduler(limit=1)
    chat, paid, own = request("ann"), request("p", lane=Lane.PAID), request("me", lane=Lane.BROADCASTER)
    queue.submit(chat, 0.0)
    assert queue.next(0.0) == chat
    queue.requeue(chat.id)
    assert queue.submit(paid, 0.0).refusal is None
    assert queue.submit(request("q", lane=Lane.PAID), 0.0).refusal is not None
    assert queue.submit(own, 0.0).ended == ()
    assert drawn_ids(queue) == [own.id, paid.id, chat.id]


def test_what_is_put_off_can_be_taken_back() -> None:
    queue = scheduler()
    leader, follower = request("ann", "a cat"), request("bob", "a cat")
    for one in (leader, follower):
        queue.submit(one, 0.0)
    assert queue.next(0.0) == leader
    assert queue.drop(lambda one: one.actor.id == "bob") == [follower]
    queue.requeue(leader.id)
    assert [one.id for one in queue.drop(lambda one: True)] == [leader.id]
    assert len(queue) == 0


def test_a_viewer_joins_what_is_being_drawn_and_gives_up_what_waits_for_them() -> None:
    queue = scheduler()
    drawn, waiting = request("ann", "a cat"), request("bob", "a dog")
    for one in (drawn, waiting):
        queue.submit(one, 0.0)
    assert queue.next(0.0) == drawn
    joined = request("bob", "a cat")
    submission = queue.submit(joined, 0.0)
    assert (submission.leader_id, [ending.request for ending in submission.ended]) == (drawn.id, [waiting])
    assert (queue.followers(drawn.id), len(queue)) == ((joined,), 0)
    assert queue.finish(drawn.id) == (joined,)
    assert queue.submit(request("eve", "a cat"), 0.0).leader_id is None


@pytest.mark.parametrize(
    "other", [{"priority": Lane.PAID}, {"priority": Lane.BROADCASTER}, {"of_program": True},
              {"actor": Actor("m", "m", Role.MODERATOR)}],
)  # fmt: skip
def test_who_may_want_another_one_does_not_join_what_is_being_drawn(other: dict[str, Any]) -> None:
    queue, drawn = scheduler(), replace(request("ann", "a cat"), **({} if "of_program" not in other else other))
    queue.submit(drawn, 0.0)
    assert queue.next(0.0) == drawn
    again = replace(request("eve", "a cat"), **other)
    assert queue.submit(again, 0.0).leader_id is None
    assert queue.pending() == [again]


def test_no_more_join_what_is_being_drawn_than_may_join_what_waits() -> None:
    queue, drawn = scheduler(), request("ann", "a cat")
    queue.submit(drawn, 0.0)
    assert queue.next(0.0) == drawn
    leaders = [queue.submit(request(f"v{number}", "a cat"), 0.0).leader_id for number in range(100)]
    assert leaders == [drawn.id] * 99 + [None]


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"per_viewer": 0}, {"expires_s": 0}, {"unknown": 1}])
def test_senseless_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        QueueOptions.model_validate(wrong)


LONGEST_STOP_S = 6.0


class Life(RuleBasedStateMachine):
    """Whatever happens, an accepted request is waiting, being drawn or ended, and ends once."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Scheduler(QueueOptions(limit=4, per_viewer=2, expires_s=10))
        self.now = 0.0
        self.accepted: dict[str, ImageRequest] = {}
        self.ended: dict[str, RequestState] = {}
        self.drawing: list[ImageRequest] = []
        self.put_off: Counter[str] = Counter()
        self.stopped_at: float | None = None

    def end(self, one: ImageRequest, state: RequestState) -> None:
        assert one.id in self.accepted
        assert one.id not in self.ended
        self.ended[one.id] = state

    @rule(
        actor=st.sampled_from("abcdef"),
        prompt=st.sampled_from(["cat", "dog", None]),
        lane=st.sampled_from([Lane.CHAT, Lane.CHAT, Lane.CHAT, Lane.PAID, Lane.BROADCASTER]),
        wait=st.sampled_from([1.0, 5.0, 10.0]),
    )
    def submit(self, actor: str, prompt: str | None, lane: Lane, wait: float) -> None:
        one = request(actor, prompt, lane, self.now + wait)
        before = self.waiting()
        submission = self.queue.submit(one, self.now)
        if submission.refusal is None:
            self.accepted[one.id] = one
        else:
            assert lane is not Lane.BROADCASTER
            assert submission.ended == ()
            assert self.waiting() == before
        for ending in submission.ended:
            self.end(ending.request, ending.state)
            assert ending.state is RequestState.SUPERSEDED or ending.request.priority > lane

    @rule()
    def stop(self) -> None:
        """Nothing can be drawn for a while: no time counts, but the stop may last too long."""
        self.stopped_at = self.now if self.stopped_at is None else self.stopped_at
        self.note_stops()

    @rule()
    def go_on(self) -> None:
        left = {one.id: one.expires_at - self.now for one in self.queue.pending()}
        since, self.stopped_at = self.stopped_at, None
        self.note_stops()
        if since is not None:
            assert all(one.expires_at - self.now >= left[one.id] for one in self.queue.pending())

    def note_stops(self) -> None:
        self.queue.note_stops(self.now, lambda one: None if self.stopped_at is None else LONGEST_STOP_S)

    @precondition(lambda self: self.stopped_at is None)
    @rule()
    def draw(self) -> None:
        waiting = self.queue.pending()
        expected = next((one for one in waiting if one.id in self.put_off or one.expires_at > self.now), None)
        assert self.queue.next(self.now) == expected
        if expected is not None:
            self.drawing.append(expected)

    @precondition(lambda self: self.drawing)
    @rule(state=st.sampled_from([RequestState.SHOWN, RequestState.FAILED]))
    def deliver(self, state: RequestState) -> None:
        leader = self.drawing.pop(0)
        for one in (leader, *self.queue.finish(leader.id)):
            self.end(one, state)

    @precondition(lambda self: self.drawing)
    @rule(steps_left=st.sampled_from([0, 1, 2, 4]), lane=st.sampled_from(list(Lane)))
    def press(self, steps_left: int, lane: Lane) -> None:
        """The streamer (or somebody else) wants a picture while one is being drawn."""
        drawn = self.drawing[-1]
        members = [drawn.id, *(one.id for one in self.queue.followers(drawn.id))]
        before = self.others(drawn)
        if not self.queue.preempts(drawn.id, request(lane=lane), steps_left):
            return
        assert lane is Lane.BROADCASTER
        assert drawn.priority is not Lane.BROADCASTER
        assert steps_left > 1
        self.drawing.pop()
        self.queue.requeue(drawn.id)
        self.put_off.update(members)
        assert set(members) <= set(self.waiting())
        assert self.others(drawn) == before, "nobody else's place is touched"

    def others(self, drawn: ImageRequest) -> list[str]:
        """Return who waits for another picture, in order."""
        return [one for one in self.waiting() if self.accepted[one].prompt != drawn.prompt]

    @rule(seconds=st.sampled_from([0.5, 3.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.note_stops()
        for ending in self.queue.expire(self.now):
            if self.stopped_at is None:
                assert ending.request.expires_at <= self.now
            else:
                assert self.now - self.stopped_at >= LONGEST_STOP_S
            assert ending.request.id not in self.put_off
            self.end(ending.request, ending.state)
        wakeup = self.queue.wakeup(self.now)
        assert wakeup is None or wakeup > self.now

    @rule(actor=st.sampled_from("abcdef"))
    def retract(self, actor: str) -> None:
        for one in self.queue.drop(lambda one: one.actor.id == actor):
            self.end(one, RequestState.CANCELLED)

    @precondition(lambda self: len(self.queue) > 2)
    @rule()
    def panic(self) -> None:
        for one in self.queue.drop(lambda one: True):
            self.end(one, RequestState.CANCELLED)
        assert len(self.queue) == 0

    def waiting(self) -> list[str]:
        return [i for one in self.queue.pending() for i in (one.id, *(f.id for f in self.queue.followers(one.id)))]

    @invariant()
    def everyone_is_in_exactly_one_place(self) -> None:
        drawing = [i for one in self.drawing for i in (one.id, *(f.id for f in self.queue.followers(one.id)))]
        assert sorted([*self.waiting(), *drawing, *self.ended]) == sorted(self.accepted)

    @invariant()
    def bounds_hold(self) -> None:
        pending = self.queue.pending()
        counted = [one for one in pending if one.id not in self.put_off]
        assert len(counted) <= 4 + 8
        assert len(pending) == len(self.queue)
        assert max(self.put_off.values(), default=0) <= 2
        assert [one.priority for one in pending] == sorted(one.priority for one in pending)
        counting = [self.accepted[i] for i in self.waiting() if i not in self.put_off]
        chat = Counter(one.actor.id for one in counting if one.priority is Lane.CHAT)
        assert max(chat.values(), default=0) <= 2
        assert [self.queue.position(one.id) for one in pending] == list(range(1, len(pending) + 1))

    def teardown(self) -> None:
        self.go_on()
        self.now += 1000.0
        while self.drawing:
            self.deliver(RequestState.SHOWN)
        self.time_passes(0.0)
        while self.queue.pending():
            self.draw()
            self.deliver(RequestState.SHOWN)
        assert sorted(self.ended) == sorted(self.accepted)
        remembered = {name: value for name, value in vars(self.queue).items() if name not in ("_options", "_turns")}
        assert not any(remembered.values()), "nothing is remembered about requests that have ended"


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase


def test_a_request_that_may_not_be_drawn_yet_lets_the_next_one_pass() -> None:
    queue = scheduler()
    queue.submit(request("ann", request_id="first"), 0.0)
    queue.submit(request("ben", request_id="second"), 0.0)
    chosen = queue.next(0.0, lambda one: one.id != "first")
    assert chosen is not None
    assert chosen.id == "second"
    assert [one.id for one in queue.pending()] == ["first"]
