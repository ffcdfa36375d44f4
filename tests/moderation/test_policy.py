"""Policy asks the rules in order, isolates their failures, and asks each only what it implements."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

import pytest

from streamer.interfaces import Rule
from streamer.moderation.policy import Policy, gravest, implements, worst
from streamer.types import Frame, Hold, ImageRequest, Judgement, Notice, NoticeKind, Outcome, Refusal


class Recorded(Rule):
    def __init__(self, name: str, asked: list[str], refuses: bool) -> None:
        self.name, self.asked, self.refuses = name, asked, refuses

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        self.asked.append(self.name)
        return Refusal(request.id, self.name, "no") if self.refuses else None


def test_the_first_refusal_ends_the_chain(ask: Callable[..., ImageRequest]) -> None:
    asked: list[str] = []
    rules = [Recorded("a", asked, False), Recorded("b", asked, True), Recorded("c", asked, True)]
    assert Policy(rules).check(ask(), 0.0) == Refusal("r1", "b", "no")
    assert asked == ["a", "b"]


def test_a_request_no_rule_refuses_passes(ask: Callable[..., ImageRequest]) -> None:
    asked: list[str] = []
    assert Policy([Recorded("a", asked, False), Recorded("b", asked, False)]).check(ask(), 0.0) is None
    assert asked == ["a", "b"]
    assert Policy([]).check(ask(), 0.0) is None


class Broken(Rule):
    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        raise ZeroDivisionError

    def name_ok(self, name: str) -> bool:
        raise ZeroDivisionError


def test_a_rule_that_fails_refuses_and_is_logged(
    ask: Callable[..., ImageRequest], caplog: pytest.LogCaptureFixture
) -> None:
    refusal = Policy([Broken()]).check(ask(), 0.0)
    assert refusal is not None
    assert (refusal.rule, "Broken" in caplog.text) == ("policy", True)


def test_a_name_is_shown_if_no_rule_objects_and_none_fails() -> None:
    class Picky(Broken):
        def name_ok(self, name: str) -> bool:
            return name != "marmalade"

    assert Policy([Picky(), Recorded("blind to names", [], True)]).name_ok("ann")
    assert not Policy([Picky()]).name_ok("marmalade")
    assert not Policy([Broken()]).name_ok("ann")


def test_a_name_is_judged_in_every_form_in_which_it_is_typed_and_shown() -> None:
    class Asked(Broken):
        names: list[str]

        def name_ok(self, name: str) -> bool:
            self.names.append(name)
            return "marmalade" not in name

    def shown(name: str) -> tuple[str, set[str]]:
        rule = Asked()
        rule.names = []
        return Policy([rule]).shown_name(name), set(rule.names)

    assert shown("  Ann\u202e ") == ("Ann", {"Ann"})
    assert shown("\u200b") == ("", set())
    assert shown("x" * 40) == ("x" * 31 + "…", {"x" * 40, "x" * 31 + "…"})
    assert shown("x" * 40 + "marmalade")[0] == ""
    assert shown("א lade ב marma")[1] == {"א lade ב marma", "marma ב ladeא "}


class Unsure(Rule):
    def check(self, request: ImageRequest, now: float) -> Hold:
        return Hold(request.id, "unsure", "a moderator is to look", "fuzzy")


def test_a_refusal_wins_over_a_hold_and_the_first_hold_counts(ask: Callable[..., ImageRequest]) -> None:
    asked: list[str] = []
    held = Policy([Unsure(), Recorded("after", asked, False)]).check(ask(), 0.0)
    assert (held, asked) == (Hold("r1", "unsure", "a moderator is to look", "fuzzy"), ["after"])
    assert Policy([Unsure(), Recorded("after", asked, True)]).check(ask(), 0.0) == Refusal("r1", "after", "no")


class PictureRule(Recorded):
    def __init__(self, *judges: str) -> None:
        super().__init__("eye", [], False)
        self.needed = judges

    def look(self, request: ImageRequest, frame: Frame, now: float) -> Hold | None:
        missing = set(self.needed) - {judgement.judge for judgement in frame.judgements}
        return Hold(request.id, "eye", "nobody has looked at it", "missing") if missing else None


def test_only_rules_for_pictures_look_at_pictures(ask: Callable[..., ImageRequest]) -> None:
    frame = Frame("r1", "background", "image/jpeg", b"", 8, 8, (Judgement(Outcome.ALLOW, "", "nudity", "1"),))
    assert Policy([Broken(), PictureRule("nudity")]).look(ask(), frame, 0.0) is None
    held = Policy([PictureRule("gore")]).look(ask(), frame, 0.0)
    assert isinstance(held, Hold)
    assert held.code == "missing"


class Slow(Recorded):
    def __init__(self, answer: Judgement | Exception, wait_s: float = 0.0) -> None:
        super().__init__("slow", [], False)
        self.answer, self.wait_s = answer, wait_s

    async def judge_text(self, request: ImageRequest) -> Judgement:
        await asyncio.sleep(self.wait_s)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_a_judge_that_fails_or_is_late_holds(
    ask: Callable[..., ImageRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.moderation.policy.JUDGE_TIMEOUT_S", 0.05)
    fine = Judgement(Outcome.ALLOW, "", "slow", "1")
    answers = await Policy([Broken(), Slow(fine), Slow(OSError("no network")), Slow(fine, 60)]).judge_text(ask())
    assert [(answer.outcome, answer.code) for answer in answers] == [
        ("allow", ""),
        ("hold", "failed"),
        ("hold", "late"),
    ]


def test_a_notice_reaches_the_rules_that_observe_and_a_failing_one_does_no_harm() -> None:
    heard: list[Notice] = []

    class Failing(Broken):
        def observe(self, notice: Notice, now: float) -> None:
            raise ZeroDivisionError

    class Observing(Broken):
        def observe(self, notice: Notice, now: float) -> None:
            heard.append(notice)

    raid = Notice("test", NoticeKind.RAID, 0.0, count=300)
    Policy([Broken(), Failing(), Observing()]).observe(raid, 0.0)
    assert heard == [raid]


class Counting(Recorded):
    def __init__(self) -> None:
        super().__init__("counting", [], refuses=False)
        self.given: list[str] = []

    def give_back(self, request: ImageRequest, now: float) -> None:
        if self.given:
            raise RuntimeError("a bug")
        self.given.append(request.id)


def test_a_turn_goes_back_to_every_rule_that_counts_turns_and_a_failing_one_does_no_harm(
    ask: Callable[..., ImageRequest], caplog: pytest.LogCaptureFixture
) -> None:
    broken, counting = Counting(), Counting()
    Policy([broken]).give_back(ask(), 1.0)
    Policy([Recorded("plain", [], refuses=False), broken, counting]).give_back(ask(), 2.0)
    assert counting.given == [ask().id]
    assert "a rule failed on a full queue: Counting" in caplog.text


class DrawGate(Rule):
    """Keeps a request waiting, or fails when told to."""

    def __init__(self, answer: bool | None) -> None:
        self.answer = answer

    def may_draw(self, request: ImageRequest) -> bool:
        if self.answer is None:
            raise RuntimeError("the rule failed")
        return self.answer


@pytest.mark.parametrize(("answers", "open_"), [([], True), ([True, True], True), ([True, False], False)])
def test_one_rule_that_keeps_a_request_waiting_is_enough(
    ask: Callable[..., ImageRequest], answers: list[bool], open_: bool
) -> None:
    assert Policy([DrawGate(answer) for answer in answers]).may_draw(ask()) is open_


def test_a_rule_that_fails_before_drawing_keeps_the_request_waiting(
    ask: Callable[..., ImageRequest], caplog: pytest.LogCaptureFixture
) -> None:
    assert not Policy([DrawGate(None)]).may_draw(ask())
    assert "the rule failed" in caplog.text


def test_the_first_rule_with_a_style_decides() -> None:
    class Stylist(Rule):
        def __init__(self, style: str | None) -> None:
            self.now = style

        @property
        def style(self) -> str | None:
            return self.now

    plain, loud, louder = Stylist(None), Stylist("neon"), Stylist("noir")
    assert (Policy([plain]).style, Policy([plain, loud, louder]).style) == (None, "neon")


def test_the_channels_blocked_terms_go_to_every_rule_that_takes_them() -> None:
    class Taking(Broken):
        def import_terms(self, terms: Collection[str]) -> int:
            return len(terms)

    assert Policy([Broken(), Taking()]).import_terms(["a", "b"]) == 2
    assert Policy([Broken()]).import_terms(["a"]) == 0


class CheckOnly:
    """A third-party rule that does not inherit from Rule and offers nothing but check."""

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        return Refusal(request.id, "theirs", "no")


async def test_a_third_party_rule_that_only_checks_works_and_decides_nothing_else(
    ask: Callable[..., ImageRequest],
) -> None:
    policy = Policy([CheckOnly()])  # type: ignore[list-item]
    assert policy.check(ask(), 0.0) == Refusal("r1", "theirs", "no")
    policy.observe(Notice("test", NoticeKind.RAID, 0.0), 0.0)
    policy.give_back(ask(), 0.0)
    assert (policy.may_draw(ask()), policy.name_ok("ann")) == (True, True)
    assert (policy.style, policy.import_terms(["a"])) == (None, 0)
    assert await policy.judge_text(ask()) == []


def test_without_a_rule_for_pictures_the_judgements_decide(ask: Callable[..., ImageRequest]) -> None:
    bad = Judgement(Outcome.BLOCK, "nudity", "nudenet", "1")
    frame = Frame("r1", "background", "image/jpeg", b"", 8, 8, (bad,))
    assert Policy([CheckOnly()]).look(ask(), frame, 0.0) == worst(ask(), [bad])  # type: ignore[list-item]
    assert worst(ask(), [bad]) == Refusal("r1", "nudenet", "this cannot be shown", "nudity")


def test_a_rule_implements_what_it_overrides_and_nothing_that_it_inherits() -> None:
    assert implements(Broken(), "check")
    assert not implements(Broken(), "look")
    assert not implements(CheckOnly(), "look")  # type: ignore[arg-type]


def test_the_gravest_judgement_is_the_first_block_else_the_first_hold() -> None:
    fine = Judgement(Outcome.ALLOW, "", "a", "1")
    hold, other_hold = Judgement(Outcome.HOLD, "x", "b", "1"), Judgement(Outcome.HOLD, "y", "c", "1")
    block = Judgement(Outcome.BLOCK, "z", "d", "1")
    assert gravest([fine, hold, other_hold, block]) is block
    assert gravest([fine, hold, other_hold]) is hold
    assert gravest([fine]) is None
