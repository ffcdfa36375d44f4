"""The words of the command table: prefix, command words with their aliases, styles and layers, checked at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streamer.commands.options import CommandOptions
from streamer.commands.styles import StyleOptions
from streamer.errors import ConfigError
from streamer.text import clean, match_form


@dataclass(frozen=True, slots=True)
class CommandWord:
    """A command word and its entry in the table; ``typed`` includes the prefix."""

    typed: str
    command: str
    options: CommandOptions


def word_key(word: str) -> str:
    """Return what two spellings of one word have in common; people also type "!bg:" and "!bg,"."""
    return match_form(clean(word)).rstrip(".,:;")


def check_prefix(prefix: str) -> str:
    """Return the prefix as it is compared; raise ConfigError if it cannot start a command."""
    cleaned = match_form(clean(prefix))
    if not cleaned or " " in cleaned or len(cleaned) > 10:
        raise ConfigError("prefix", f"'{prefix}' cannot start a command", fix="use one to ten characters, like !")
    return cleaned


def check_styles(styles: Mapping[str, StyleOptions]) -> dict[str, StyleOptions]:
    """Return the styles by the keys of their names; raise ConfigError for one that cannot work."""
    checked: dict[str, StyleOptions] = {}
    for name, style in styles.items():
        if "{prompt}" not in style.prompt:
            raise ConfigError(f"styles.{name}", "does not contain {prompt}", fix='write "{prompt}, oil painting"')
        if not word_key(name) or word_key(name) in checked:
            raise ConfigError(f"styles.{name}", "is empty or appears twice", fix="give it a name of its own")
        checked[word_key(name)] = style
    return checked


def index_words(commands: Mapping[str, CommandOptions], prefix: str) -> dict[str, CommandWord]:
    """Return every word of every command by its key; raise ConfigError for one that clashes or cannot be typed."""
    words: dict[str, CommandWord] = {}
    for command, options in commands.items():
        for typed in (command, *options.aliases):
            key = word_key(typed)
            if not key or " " in key or key.startswith(prefix):
                fix = f"write one word without {prefix}"
                raise ConfigError(f"commands.{command}", f"'{typed}' cannot be a command word", fix=fix)
            if key in words:
                other = words[key].command
                fix = f"remove it from one of the two, or the whole command with {other}: null"
                raise ConfigError(f"commands.{command}", f"'{typed}' already means '{other}'", fix=fix)
            words[key] = CommandWord(prefix + clean(typed), command, options)
    return words


def index_layers(words: Mapping[str, CommandWord]) -> dict[str, str]:
    """Return the layers by what people call them: their names, and the words of the commands that draw on them."""
    drawing = {key: word.options.layer for key, word in words.items() if word.options.draws and word.options.layer}
    return {word_key(layer): layer for layer in drawing.values()} | drawing
