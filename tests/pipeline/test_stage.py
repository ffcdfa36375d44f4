"""Facts about what is on air: history, expiry, and that a clear or panic wins over everything asked for before."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streamer.pipeline.stage import LayerState, Stage
from streamer.types import Clear, Frame, Update


def frame(request_id: str, layer: str = "background") -> Frame:
    return Frame(request_id, layer, "image/jpeg", b"jpeg", 1280, 720)


def stage(history: int = 20) -> Stage:
    return Stage(["background", "meme"], history)


def test_a_layer_is_transparent_until_something_is_shown() -> None:
    on_air = stage()
    assert on_air.layers == ("background", "meme")
    assert (on_air.current("background"), on_air.wakeup(), on_air.expire(1e9)) == (None, None, [])
    assert on_air.undo("background", 1.0) == on_air.redo("background", 1.0) == []


def test_a_picture_stays_on_its_own_layer() -> None:
    on_air, picture = stage(), frame("a")
    assert on_air.show(picture, None, 1.0, 2.0) == [picture]
    assert (on_air.current("background"), on_air.current("meme")) == (picture, None)


def test_undo_goes_back_to_transparent_and_redo_comes_forward_again() -> None:
    on_air, a, b = stage(), frame("a"), frame("b")
    on_air.show(a, None, 1.0, 1.0)
    on_air.show(b, None, 2.0, 2.0)
    assert [on_air.undo("background", 3.0) for _ in range(3)] == [[a], [Clear("background")], []]
    assert [on_air.redo("background", 4.0) for _ in range(3)] == [[a], [b], []]


def test_a_new_picture_cuts_the_redo_branch() -> None:
    on_air, a, b, c = stage(), frame("a"), frame("b"), frame("c")
    on_air.show(a, None, 1.0, 1.0)
    on_air.show(b, None, 2.0, 2.0)
    on_air.undo("background", 3.0)
    on_air.show(c, None, 4.0, 4.0)
    assert on_air.redo("background", 5.0) == []
    assert on_air.undo("background", 6.0) == [a]


def test_history_is_bounded() -> None:
    on_air, pictures = stage(history=3), [frame(str(n)) for n in range(10)]
    for n, picture in enumerate(pictures):
        on_air.show(picture, None, n, n)
    undone = [on_air.undo("background", 20.0) for _ in range(5)]
    assert undone == [[pictures[8]], [pictures[7]], [pictures[6]], [Clear("background")], []]


def test_a_clear_can_be_undone() -> None:
    on_air, a = stage(), frame("a")
    on_air.show(a, None, 1.0, 1.0)
    assert on_air.clear("background", 2.0) == [Clear("background")]
    assert on_air.current("background") is None
    assert on_air.undo("background", 3.0) == [a]
    assert on_air.redo("background", 4.0) == [Clear("background")]


def test_a_clear_is_published_even_when_nothing_is_on_air_and_adds_no_history() -> None:
    on_air, a, b = stage(), frame("a"), frame("b")
    on_air.show(a, None, 1.0, 1.0)
    for now in (2.0, 3.0, 4.0):
        assert on_air.clear("background", now) == [Clear("background")]
    on_air.show(b, None, 5.0, 5.0)
    assert [on_air.undo("background", 6.0) for _ in range(3)] == [[Clear("background")], [a], [Clear("background")]]


def test_what_was_asked_for_before_a_clear_is_refused_afterwards() -> None:
    on_air, late = stage(), frame("late")
    on_air.clear("background", 5.0)
    assert not on_air.accepts("background", 5.0)
    assert on_air.show(late, None, 4.9, 6.0) == []
    assert on_air.current("background") is None
    assert on_air.accepts("meme", 4.9)
    assert on_air.show(late, None, 5.1, 6.0) == [late]


def test_clearing_without_a_layer_clears_all_of_them() -> None:
    on_air = stage()
    assert on_air.clear(None, 5.0) == [Clear("background"), Clear("meme")]
    assert not on_air.accepts("meme", 5.0)


def test_panic_clears_every_layer_refuses_what_is_being_drawn_and_cannot_be_undone() -> None:
    on_air = stage()
    on_air.show(frame("a"), None, 1.0, 1.0)
    on_air.show(frame("b"), None, 2.0, 2.0)
    on_air.undo("background", 2.5)
    assert on_air.panic(3.0) == [Clear("background"), Clear("meme")]
    assert not any(on_air.accepts(layer, 3.0) for layer in on_air.layers)
    assert on_air.undo("background", 4.0) == on_air.redo("background", 4.0) == []


def test_a_pop_up_goes_away_after_its_time() -> None:
    on_air = stage()
    on_air.show(frame("m", "meme"), 8.0, 1.0, 2.0)
    assert (on_air.wakeup(), on_air.expire(9.9)) == (10.0, [])
    assert on_air.expire(10.0) == [Clear("meme", fade=True)]
    assert (on_air.current("meme"), on_air.wakeup(), on_air.undo("meme", 11.0)) == (None, None, [])


def test_a_pop_up_replaced_before_its_time_comes_back_by_undo_for_its_whole_time() -> None:
    on_air, first, second = stage(), frame("1", "meme"), frame("2", "meme")
    on_air.show(first, 8.0, 0.0, 0.0)
    on_air.show(second, 8.0, 3.0, 3.0)
    assert on_air.undo("meme", 5.0) == [first]
    assert on_air.wakeup() == 13.0
    assert on_air.redo("meme", 6.0) == [second]
    assert on_air.wakeup() == 14.0


def test_a_pop_up_whose_time_has_passed_while_replaced_does_not_come_back() -> None:
    on_air = stage()
    on_air.show(frame("1", "meme"), 8.0, 0.0, 0.0)
    on_air.show(frame("2", "meme"), 8.0, 3.0, 3.0)
    assert on_air.undo("meme", 9.0) == [Clear("meme")]


def test_undo_after_a_pop_up_has_expired_reaches_the_picture_that_stays() -> None:
    on_air, stays = stage(), frame("stays")
    on_air.show(stays, None, 0.0, 0.0)
    on_air.clear("background", 1.0)
    on_air.show(frame("brief"), 2.0, 2.0, 2.0)
    on_air.expire(4.0)
    assert on_air.undo("background", 5.0) == [stays]


def test_a_retracted_picture_leaves_the_air_and_the_history() -> None:
    on_air, good, bad = stage(), frame("good"), frame("bad")
    on_air.show(good, None, 1.0, 1.0)
    on_air.show(bad, None, 2.0, 2.0)
    assert on_air.retract(lambda request_id: request_id == "bad", 3.0) == [good]
    assert on_air.redo("background", 4.0) == []
    assert on_air.undo("background", 5.0) == [Clear("background")]
    assert on_air.retract(lambda request_id: request_id == "good", 6.0) == []
    assert on_air.redo("background", 7.0) == []


def test_restore_shows_the_last_picture_only_on_an_unused_layer() -> None:
    on_air, old = stage(), frame("old")
    assert on_air.restore(old, 1.0) == [old]
    assert on_air.restore(frame("older"), 1.0) == []
    panicked = stage()
    panicked.panic(1.0)
    assert panicked.restore(old, 2.0) == []


def test_a_snapshot_names_what_is_on_air_since_when_and_until_when() -> None:
    on_air = stage()
    on_air.show(frame("a"), None, 1.0, 2.0)
    on_air.show(frame("m", "meme"), 8.0, 2.0, 3.0)
    on_air.undo("meme", 4.0)
    assert on_air.snapshot() == (
        LayerState("background", "a", 2.0, None, undo=1, redo=0),
        LayerState("meme", None, None, None, undo=0, redo=1),
    )


def test_an_unknown_layer_is_a_fault() -> None:
    with pytest.raises(KeyError):
        stage().clear("nowhere", 1.0)


class OnAir(RuleBasedStateMachine):
    """Whoever applies the updates sees exactly what the stage says is on air, and nothing that must not be there."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(["background", "meme"], history=3)
        self.page: dict[str, Frame | None] = {"background": None, "meme": None}
        self.now, self.shown = 100.0, 0
        self.cleared = {"background": -1.0, "meme": -1.0}
        self.forbidden: set[str] = set()
        self.went_on_air: list[str] = []

    layers = st.sampled_from(["background", "meme"])

    def apply(self, updates: list[Update] | list[Clear]) -> None:
        for update in updates:
            assert not isinstance(update, Frame) or update.request_id not in self.forbidden
            self.page[update.layer] = update if isinstance(update, Frame) else None

    @rule(layer=layers, seconds=st.sampled_from([None, 2.0, 5.0]), ago=st.sampled_from([0.0, 0.5, 3.0]))
    def show(self, layer: str, seconds: float | None, ago: float) -> None:
        self.shown += 1
        picture, requested_at = frame(str(self.shown), layer), self.now - ago
        updates = self.stage.show(picture, seconds, requested_at, self.now)
        assert updates == ([picture] if requested_at > self.cleared[layer] else [])
        self.apply(updates)
        self.went_on_air += [picture.request_id for _ in updates]

    @rule(layer=layers)
    def clear(self, layer: str) -> None:
        self.cleared[layer] = self.now
        self.apply(self.stage.clear(layer, self.now))
        assert self.page[layer] is None

    @rule(layer=layers)
    def undo_and_redo_are_inverse(self, layer: str) -> None:
        before = self.page[layer]
        undone = self.stage.undo(layer, self.now)
        self.apply(undone)
        if undone:
            self.apply(self.stage.redo(layer, self.now))
        assert self.page[layer] == before

    @rule(layer=layers)
    def undo(self, layer: str) -> None:
        self.apply(self.stage.undo(layer, self.now))

    @rule(layer=layers)
    def redo(self, layer: str) -> None:
        self.apply(self.stage.redo(layer, self.now))

    @rule(seconds=st.sampled_from([0.25, 2.0, 6.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.apply(self.stage.expire(self.now))
        wakeup = self.stage.wakeup()
        assert wakeup is None or wakeup > self.now

    @rule(choice=st.randoms(use_true_random=False))
    def retract(self, choice: object) -> None:
        if self.went_on_air:
            self.forbidden.add(choice.choice(self.went_on_air))  # type: ignore[attr-defined]
            self.apply(self.stage.retract(self.forbidden.__contains__, self.now))

    @rule()
    def panic(self) -> None:
        self.cleared = dict.fromkeys(self.cleared, self.now)
        self.forbidden.update(self.went_on_air)
        self.apply(self.stage.panic(self.now))
        assert not any(self.page.values())

    @invariant()
    def the_page_shows_what_the_stage_says(self) -> None:
        for state in self.stage.snapshot():
            picture = self.page[state.layer]
            assert self.stage.current(state.layer) == picture
            assert state.request_id == (picture.request_id if picture else None)
            assert picture is None or picture.request_id not in self.forbidden
            assert state.until is None or state.until > self.now
            assert state.undo <= 4
            assert state.redo <= 4


OnAir.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestOnAir = OnAir.TestCase
