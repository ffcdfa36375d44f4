"""The held-out sets are large and varied, and what the gate was mended for stays mended."""

from __future__ import annotations

import pytest

from bench import heldout
from streamer.moderation.rules.words import create
from streamer.moderation.text_filter.filter import TextFilter
from streamer.moderation.text_filter.options import TextFilterOptions
from streamer.text import clean


@pytest.fixture(scope="module")
def rule() -> TextFilter:
    return create(TextFilterOptions(extra=("marmalade*", "варенье*")))


def test_there_are_many_prompts_in_nine_languages_and_none_twice() -> None:
    prompts = heldout.prompts()
    assert {language for language, lines in prompts.items() if len(lines) >= 80} == {
        "en",
        "ru",
        "uk",
        "es",
        "de",
        "fr",
        "pt",
        "pl",
        "tr",
    }
    assert min(len(prompts["en"]), len(prompts["ru"])) >= 600
    assert all(len(set(lines)) == len(lines) for lines in prompts.values())


def test_one_harmless_prompt_in_a_hundred_is_stopped_at_most() -> None:
    shipped = create(TextFilterOptions())
    alarms = heldout.alarms(lambda text: shipped.find(clean(text)) is not None)
    stopped = sum(map(len, alarms.values())) / sum(map(len, heldout.prompts().values()))
    assert 0 < stopped <= 0.0105


def test_nearly_all_disguises_are_seen_through_and_none_is_the_word_itself(rule: TextFilter) -> None:
    words = {"latin": ("marmalade",), "cyrillic": ("варенье",)}
    caught = heldout.caught(lambda text: rule.find(clean(text)) is not None, words, ("a large {} in the sky",))
    missed = {name for name, by_script in caught.items() if min(by_script.values()) < 1}
    assert len(caught) > 80
    assert missed <= {"numbers of the letters", "in the plural", "in Latin letters with digits"}
    assert not any(heldout.caught(lambda text: "marmalade" in text.split(), words, ("{}",))["letters doubled"].values())
