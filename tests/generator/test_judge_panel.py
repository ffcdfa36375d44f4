from __future__ import annotations

import time

import numpy as np
import pytest

from streamer.generator.backend import Pixels
from streamer.generator.ipc import JudgeUse
from streamer.generator.judge_panel import NO_JUDGES, JudgePanel, apply_second_opinions, load_judge, over_grey
from streamer.types import Judgement, Outcome
from tests.support.generation import IMAGE_JUDGE, TEXT_JUDGE


def red(share: float, size: tuple[int, int] = (60, 90)) -> Pixels:
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[..., 0] = round(255 * share)
    return pixels


def panel(*options: dict[str, object]) -> JudgePanel:
    return JudgePanel([load_judge(JudgeUse(IMAGE_JUDGE, judge_options)) for judge_options in options])


@pytest.mark.parametrize(("share", "outcome"), [(0.1, "allow"), (0.4, "hold"), (0.8, "block")])
def test_a_judgement_names_judge_class_scores_and_time(share: float, outcome: str) -> None:
    (judgement,) = panel({}).look(red(share))
    assert (judgement.outcome, judgement.code) == (outcome, "" if outcome == "allow" else "red")
    assert (judgement.judge, judgement.version) == (IMAGE_JUDGE, "1")
    assert judgement.scores["red"] == pytest.approx(share, abs=0.01)
    assert judgement.took_ms > 0


def test_only_tiles_find_what_hides_in_a_corner_of_a_collage() -> None:
    pixels = red(0.0)
    pixels[:20, :30, 0] = 255
    assert [judgement.outcome for judgement in panel({}).look(pixels)] == [Outcome.ALLOW]
    assert [judgement.outcome for judgement in panel({"tiles": [2, 3]}).look(pixels)] == [Outcome.BLOCK]


@pytest.mark.parametrize(
    ("does", "code", "outcome"),
    [("unavailable", "unavailable", "hold"), ("raise", "failed", "hold"), ("nonsense", "red", "block")],
)
def test_a_judge_that_cannot_judge_never_allows(does: str, code: str, outcome: str) -> None:
    judges = panel({"does": does}, {})
    broken, sound = judges.look(red(0.1))
    assert (broken.outcome, broken.code) == (outcome, code)
    assert sound.outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("use", "problem"),
    [
        (JudgeUse(IMAGE_JUDGE, {"does": "unavailable"}), "no weights; get some"),
        (JudgeUse("no_such_judge", {}), "there is no such plug-in; use one of:"),
        (JudgeUse(IMAGE_JUDGE, {"does": "fly"}), "ValidationError"),
    ],
)
def test_the_status_says_which_judge_is_missing_and_why(use: JudgeUse, problem: str) -> None:
    active = JudgePanel([load_judge(use)]).active()[f"judge {use.name}"]
    assert active.startswith("not available, holds everything: ")
    assert problem in active


def test_each_look_is_reported() -> None:
    looks: list[int] = []
    panel({"tiles": [2, 3]}).look(red(0.1), lambda: looks.append(1))
    assert len(looks) == 1 + 4 + 9


def test_without_judges_the_status_says_that_no_model_looks() -> None:
    assert JudgePanel().active() == {"judges": NO_JUDGES}
    assert JudgePanel().look(red(1.0)) == ()
    assert JudgePanel().read("anything").result(10) == ()


def test_a_second_opinion_is_asked_for_only_about_what_somebody_flagged() -> None:
    judges = panel({}, {"second_opinion": True})
    assert len(judges.look(red(0.1))) == 1
    assert len(judges.look(red(0.4))) == 2


def test_a_contradicted_block_is_up_to_a_human_and_nothing_becomes_a_yes() -> None:
    judges = panel({}, {"second_opinion": True, "hold": {}, "block": {}})
    first, second = judges.look(red(0.8))
    assert (first.outcome, first.code, second.outcome) == (Outcome.HOLD, "disputed red", Outcome.ALLOW)
    (held, _) = judges.look(red(0.4))
    assert (held.outcome, held.code) == (Outcome.HOLD, "red")


def test_a_second_opinion_that_failed_contradicts_nobody() -> None:
    block = [Judgement(Outcome.BLOCK, "red", "a", "1")]
    assert apply_second_opinions(block, [Judgement(Outcome.HOLD, "failed", "b", "1")]) == block
    assert apply_second_opinions(block, []) == block


def test_transparent_parts_are_laid_over_grey() -> None:
    pixels = np.full((2, 2, 4), 255, np.uint8)
    pixels[0, ..., 3] = 0
    assert over_grey(pixels)[0].tolist() == [[128] * 3] * 2
    assert over_grey(pixels)[1].tolist() == [[255] * 3] * 2


def test_texts_are_read_while_the_caller_works() -> None:
    judges = JudgePanel([load_judge(JudgeUse(TEXT_JUDGE, {"takes_s": 0.3, "block": {"forbidden": 1.0}}))])
    began = time.monotonic()
    reading = judges.read("a forbidden thing")
    assert time.monotonic() - began < 0.25
    (judgement,) = reading.result(10)
    assert (judgement.outcome, judgement.code, judgement.judge) == (Outcome.BLOCK, "forbidden", TEXT_JUDGE)
    assert [judgement.outcome for judgement in judges.read("a lake").result(10)] == [Outcome.ALLOW]
    assert judges.look(red(1.0)) == ()
