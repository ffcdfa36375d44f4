"""The words of the command table: what clashes or cannot be typed is refused, and layers answer to their commands."""

from __future__ import annotations

from typing import Any

import pytest

from streamer.commands.options import CommandOptions
from streamer.commands.styles import StyleOptions
from streamer.commands.word_table import check_prefix, check_styles, index_layers, index_words, word_key
from streamer.errors import ConfigError

TABLE: dict[str, dict[str, Any]] = {
    "bg": {"kind": "background", "aliases": ["background", "фон", "çiz"], "layer": "Backdrop"},
    "meme": {"kind": "meme", "aliases": ["мем"], "layer": "memes", "layout": "top_bottom"},
    "clear": {"kind": "clear", "layer": "memes"},
}


def table(**changes: dict[str, Any]) -> dict[str, CommandOptions]:
    return {name: CommandOptions.model_validate(entry) for name, entry in (TABLE | changes).items()}


@pytest.mark.parametrize("prefix", ["", " ", "\u200b", "a b", "x" * 11])
def test_a_prefix_that_cannot_work_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="prefix"):
        check_prefix(prefix)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"meme": {**TABLE["meme"], "aliases": ["BG"]}}, r"commands\.meme: 'BG' already means 'bg'"),
        ({"meme": {**TABLE["meme"], "aliases": ["ФОН"]}}, r"commands\.meme: 'ФОН' already means 'bg'"),
        ({"clear": {"kind": "clear", "aliases": ["clear"]}}, r"commands\.clear: 'clear' already means 'clear'"),
        ({"a b": {"kind": "clear"}}, r"'a b' cannot be a command word; write one word without !"),
        ({"!wipe": {"kind": "clear"}}, r"'!wipe' cannot be a command word"),
        ({"\u200b": {"kind": "clear"}}, r"cannot be a command word"),
    ],
)
def test_words_that_clash_or_cannot_be_typed_are_refused(changes: dict[str, dict[str, Any]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        index_words(table(**changes), "!")


@pytest.mark.parametrize("styles", [{"noir": "film noir"}, {"Noir": "{prompt}", "noir": "{prompt}"}, {" ": "{prompt}"}])
def test_styles_that_cannot_work_are_refused(styles: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"styles\."):
        check_styles({name: StyleOptions(prompt=prompt) for name, prompt in styles.items()})


@pytest.mark.parametrize("typed", ["BG", "bg:", "ｂｇ", "b\u200bg", "bg.,"])
def test_spellings_of_one_word_have_one_key(typed: str) -> None:
    assert word_key(typed) == "bg"


def test_a_layer_answers_to_its_name_and_to_the_words_that_draw_on_it() -> None:
    layers = index_layers(index_words(table(), "!"))
    assert layers == {
        "backdrop": "Backdrop", "memes": "memes", "bg": "Backdrop", "background": "Backdrop", "фон": "Backdrop",
        "çiz": "Backdrop", "meme": "memes", "мем": "memes",
    }  # fmt: skip
