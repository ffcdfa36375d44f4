"""Where a prompt is longer than the model reads, its author loses their last words, and the style loses nothing."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer import app, config
from streamer.generator.prompt_fit import PromptFitter, fit_words, parts_around_words
from streamer.types import Actor, ImageRequest, Role, Trigger
from tests.support.queue_requests import request

SHIPPED, SHIPPED_FILE = config.load(Path(__file__).parent.parent.parent / "config.yaml", {})
COMMANDS = app.commands(SHIPPED, SHIPPED_FILE)
STYLE = ("", ", film noir")
FEWEST_TOKENS, CHAT_TOKENS = 64, 12


def fitted(words: str, characters: int, parts: tuple[str, ...] = STYLE) -> str:
    return fit_words(parts, words, lambda prompt: len(prompt) <= characters)


def asked(line: str, style: str | None = None) -> ImageRequest:
    """Return what a chat line asks for under the shipped configuration."""
    trigger = Trigger("1", "test", line, Actor("1", "ann", Role.BROADCASTER), 0.0)
    wanted = COMMANDS.with_style(style).interpret(trigger)
    assert isinstance(wanted, ImageRequest)
    return wanted


def fits_the_fewest_tokens(prompt: str) -> bool:
    """Count each word and each sign as a token, beside the chat template's."""
    return len(re.findall(r"\w+|[^\w\s]", prompt)) + CHAT_TOKENS <= FEWEST_TOKENS


@pytest.mark.parametrize(
    ("words", "characters", "kept"),
    [
        ("a red cat on a hill", 38, "a red cat on a hill"),
        ("a red cat on a hill", 30, "a red cat on a hill"),
        ("a red cat on a hill", 29, "a red cat on a"),
        ("a red cat on a hill", 20, "a red cat"),
        ("a red cat on a hill", 11, ""),
        ("a red cat on a hill", 3, ""),
        ("赤い猫が丘の上にいる", 16, "赤い猫が丘"),
        ("赤い猫が丘の上にいる", 12, "赤"),
    ],
)
def test_whole_words_go_from_the_end_of_the_text(words: str, characters: int, kept: str) -> None:
    assert fitted(words, characters) == f"{kept}, film noir"


@given(st.text(max_size=60), st.integers(1, 80))
def test_the_style_stays_and_the_text_is_a_beginning_of_itself(words: str, characters: int) -> None:
    prompt = fitted(words, characters)
    assert prompt.endswith(", film noir")
    assert words.startswith(prompt.removesuffix(", film noir"))
    assert len(prompt) <= max(characters, len(", film noir")) or not words


def test_words_that_stand_twice_are_shortened_twice() -> None:
    assert fitted("a b c", 13, ("<", "|", ">")) == "<a b c|a b c>"
    assert fitted("a b c", 12, ("<", "|", ">")) == "<a b|a b>"


def test_a_prompt_without_words_of_its_author_stays() -> None:
    assert fitted("noir", 3, ("the same scene, film noir",)) == "the same scene, film noir"


@pytest.mark.parametrize(
    ("style", "line"),
    list(product((None, *SHIPPED.styles), [f"{COMMANDS.prefix}{name} " for name in COMMANDS.drawing])),
)
def test_every_shipped_style_and_template_survives_the_longest_text(style: str | None, line: str) -> None:
    wanted = asked(f"{line}{'storm, harbour and night ' * 12} | monday | again", style)
    before, after = parts_around_words(wanted)
    prompt = PromptFitter(fits_the_fewest_tokens, "text_tokens").fit(wanted)
    kept = prompt.removeprefix(before).removesuffix(after)
    assert prompt == f"{before}{kept}{after}" != wanted.prompt
    assert wanted.words.startswith(kept)
    assert len(kept.split()) > 10
    assert fits_the_fewest_tokens(prompt)


def test_words_that_stand_in_the_style_too_are_taken_where_the_author_typed_them() -> None:
    template = "photo of {text}, photo, film noir"
    wanted = replace(asked("!bg photo"), template=template, prompt=template.replace("{text}", "photo"))
    assert PromptFitter(lambda prompt: len(prompt) < 30, "text_tokens").fit(wanted) == "photo of , photo, film noir"


def test_a_restyle_has_no_words_to_lose() -> None:
    wanted = asked("!restyle noir")
    assert parts_around_words(wanted) == [wanted.prompt]


def test_a_prompt_whose_template_is_unknown_stays() -> None:
    wanted = asked("!bg a red cat", "noir")
    for unknown in (replace(wanted, template=""), replace(wanted, prompt="something else")):
        assert parts_around_words(unknown) == [unknown.prompt]


def test_the_status_counts_and_the_log_says_what_to_change(caplog: pytest.LogCaptureFixture) -> None:
    fitter = PromptFitter(lambda prompt: len(prompt) <= 20, "text_tokens")
    short, long = (
        replace(request(), words=words, prompt=f"{words}, film noir", template="{text}, film noir")
        for words in ("a cat", "a cat on a hill")
    )
    assert (fitter.fit(short), fitter.left_out_words, fitter.active()) == ("a cat, film noir", False, {})
    assert (fitter.fit(long), fitter.left_out_words) == ("a cat on, film noir", True)
    assert fitter.active() == {"shortened": "1 texts longer than text_tokens"}
    with caplog.at_level(logging.WARNING):
        assert PromptFitter(lambda prompt: len(prompt) <= 9, "text_tokens").fit(long) == ", film noir"
    assert "template and style alone are longer than text_tokens" in caplog.text
    assert (fitter.fit(short), fitter.left_out_words) == ("a cat, film noir", False)
