"""What can be read on air of a request, and that the text filter reads all of it in exactly that form."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.commands.options import CommandOptions
from streamer.commands.parser import Commands
from streamer.commands.shown import EXCERPT, caption_text, lettered, listed, shown_texts
from streamer.moderation.text_filter.filter import TextFilter
from streamer.moderation.text_filter.normalize import fold
from streamer.moderation.text_filter.options import TextFilterOptions
from streamer.types import Actor, Caption, ImageRequest, Role, Trigger
from tests.support.examples import REQUEST

MEME = CommandOptions.model_validate({"kind": "meme", "layer": "memes", "layout": "top_bottom"})
COMMANDS = Commands({"meme": MEME}, styles={}, expires_after_s=30)
ASKED = replace(REQUEST, words="a cat", caption=Caption("straße", "בית fu", "top_bottom"))
TYPED = st.lists(
    st.sampled_from(
        ["cat", "ß", "|", " ", "字", "א", "\u0301", "\u202e", "\u200d", "😀", "x.com", "½", "ﬁ", "\u0628\u200c"]
    )
    | st.text(max_size=6),
    max_size=30,
).map("".join)


def test_a_caption_is_shown_as_it_is_or_in_capitals() -> None:
    caption = Caption("straße", "", "top_bottom")
    assert caption_text(caption, "top", upper=False) == "straße"
    assert caption_text(caption, "both", upper=True) == "STRASSE"


def test_a_list_names_a_request_by_its_words_or_by_its_command() -> None:
    assert listed(ASKED) == "a cat | straße | בית fu"
    assert listed(replace(REQUEST, words="", caption=None, command="next")) == "next"
    assert len(listed(replace(REQUEST, words="harbour " * 40))) <= EXCERPT


def test_what_is_lettered_is_the_beginning_of_the_words_else_of_the_prompt() -> None:
    assert lettered(ASKED) == "a cat"
    assert lettered(replace(REQUEST, words="", prompt="harbour " * 40)).endswith("harbour…")


def test_a_line_that_is_displayed_in_another_order_is_shown_in_both() -> None:
    assert {"בית fu", "fuבית ", "STRASSE"} <= set(shown_texts(ASKED))


def test_letters_that_only_the_order_of_display_brings_together_are_judged() -> None:
    gate = TextFilter(TextFilterOptions(extra=("marmalade",)), [])
    caption = Caption("א lade ב marma", "", "top_bottom")
    assert gate.check(replace(REQUEST, caption=caption), 0.0) is not None


@pytest.mark.parametrize("between", ["字", "ア", "ا", "ก", "ह", "Ω", "字字字"])
@pytest.mark.parametrize("text", ["marma{}lade", "m{0}a{0}r{0}m{0}a{0}l{0}a{0}d{0}e", "варе{}нье", "{0}marmalade{0}"])
def test_letters_of_another_script_hide_no_word(text: str, between: str) -> None:
    gate = TextFilter(TextFilterOptions(extra=("marmalade", "варенье")), [])
    assert gate.check(replace(REQUEST, caption=Caption(text.format(between), "", "top_bottom")), 0.0) is not None


@given(TYPED)
def test_everything_that_can_be_shown_is_judged_in_that_form(typed: str) -> None:
    request = COMMANDS.interpret(Trigger("m1", "test", f"!meme {typed}", Actor("1", "ann", Role.VIEWER), 0.0))
    if not isinstance(request, ImageRequest):
        return
    judged: list[str] = []
    gate = TextFilter(TextFilterOptions(), [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "find", lambda text, _: judged.append(text))
        gate.check(request, 0.0)
    # In capitals and in small letters a text is judged alike: that is what folding is.
    assert {fold(text) for text in shown_texts(request)} <= set(map(fold, judged))
