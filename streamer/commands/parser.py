"""Turn what someone typed into what to draw, or into an order for the stage.

``!word rest`` is a command when ``word`` stands in the table; everything else is ordinary chat. Text is cleaned before
it is parsed, so full-width letters and invisible suffixes do not matter. Whatever follows the word is text and never an
option: sizes, steps and layers come from the table alone. Roles of pictures are judged by the policy chain; the
roles of stage commands are judged here, because they never pass it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from streamer.commands.options import _CHANGING, _EXAMPLES, _OF_ONE_LAYER, _PLURALS, SAME, CommandOptions
from streamer.errors import ConfigError
from streamer.text import clean, without_links, without_markers, without_mentions
from streamer.types import Caption, ImageRequest, Lane, Refusal, Role, SamplingParams, StageCommand, Trigger


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of chat and the table entry it stands for; ``typed`` carries the prefix."""

    typed: str
    command: str
    options: CommandOptions


class Commands:
    """The command table, the prompt styles, and which style is on; a value, ``with_style`` returns another."""

    def __init__(
        self,
        commands: Mapping[str, CommandOptions],
        *,
        styles: Mapping[str, str],
        expires_after_s: float,
        prefix: str = "!",
    ) -> None:
        self._table = commands
        self._prefix = _checked_prefix(prefix)
        self._words = _words_of(commands, self._prefix)
        self._layers = _layers_of(self._words)
        self._styles = _checked_styles(styles)
        self._expires_after_s = expires_after_s
        self._style: str | None = None
        self._scene_style: str | None = None

    @property
    def style(self) -> str | None:
        """Name the style that wraps prompts now, None for no style."""
        return self._scene_style or self._style

    def with_style(self, name: str | None) -> Commands:
        """Return the same table with another style on."""
        if name is not None and (name := _key(name)) not in self._styles:
            raise ConfigError("style", f"there is no style '{name}'", fix=f"use one of {self._style_names()}")
        other = copy.copy(self)
        other._style, other._scene_style = name, None
        return other

    def in_scene(self, style: str | None) -> Commands:
        """Return the same table with the style that a scene asks for: it is on until somebody chooses another."""
        other = copy.copy(self)
        other._scene_style = None if style is None else self.with_style(style)._style
        return other

    def help(self, role: Role, *, edits: bool = True, program: bool = True) -> str:
        """List in one chat-safe line what someone of this role may type: without what could not be done now.

        ``edits``: pictures can be changed; ``program``: what viewers see in OBS can be looked at.
        """
        mine = (
            name
            for name, options in self._table.items()
            if role >= options.role_needed and (edits or options.kind not in _CHANGING)
            and (program or not options.of_program)
        )  # fmt: skip
        return " ".join(f"{self._prefix}{name}" for name in mine)

    def interpret(self, trigger: Trigger) -> ImageRequest | StageCommand | Refusal | None:
        """Say what a trigger asks for; None for ordinary chat and for words that are not in the table."""
        if self._cannot_be_command(trigger.text):
            return None
        text = clean(trigger.text)
        if not text.casefold().startswith(self._prefix):
            return None
        typed, _, rest = text[len(self._prefix) :].partition(" ")
        word = self._words.get(_folded(typed))
        if word is None:
            return None
        if word.options.kind in _EXAMPLES:
            return self._picture(word, rest, trigger)
        return self._order(word, rest, trigger)

    def _cannot_be_command(self, text: str) -> bool:
        # Nearly all chat ends here, after a look at its first character; what cleaning drops tells nothing.
        first = text.lstrip()[:1]
        seen = first if "!" <= first <= "~" else clean(first)
        return seen != "" and seen[0].casefold() != self._prefix[0]

    def _picture(self, word: _Word, text: str, trigger: Trigger) -> ImageRequest | Refusal:
        options = word.options
        words, caption = _caption(without_markers(without_links(without_mentions(text))), options.layout)
        if not words or (options.kind == "restyle" and _key(words) not in self._styles):
            reason = _EXAMPLES[options.kind].replace("{word}", word.typed).replace("{styles}", self._style_names())
            return Refusal(trigger.id, "syntax", f"{word.typed} {reason}")
        return ImageRequest(
            id=trigger.id,
            command=word.command,
            kind="edit" if options.kind in _CHANGING else options.kind,
            layer=options.layer or "",
            text=text,
            prompt=self._prompt(options, words),
            params=SamplingParams(
                options.width, options.height, options.num_inference_steps, options.guidance_scale, _seed(trigger.id)
            ),
            actor=trigger.actor,
            priority=_lane(trigger),
            at=trigger.at,
            expires_at=trigger.at + self._expires_after_s,
            role_needed=options.role_needed,
            seconds=options.seconds,
            cooldown_s=options.cooldown_s,
            caption=caption,
            source=trigger.source,
            redemption=trigger.redemption,
            first_time=trigger.first_time,
            of_program=options.of_program,
        )

    def _prompt(self, options: CommandOptions, words: str) -> str:
        if options.kind != "restyle":
            return self._styled(options.template.replace("{text}", words))
        return options.template.replace("{text}", self._styles[_key(words)].replace("{prompt}", SAME))

    def _order(self, word: _Word, text: str, trigger: Trigger) -> StageCommand | Refusal:
        options = word.options
        if trigger.actor.role < options.role_needed:
            return Refusal(trigger.id, "role", f"{word.typed} is for {_PLURALS[options.role_needed]}")
        if options.kind == "style" and (text := _key(text)) not in self._styles:
            return Refusal(trigger.id, "syntax", f"{word.typed} needs one of: {self._style_names()}")
        layer = options.layer
        if options.kind in _OF_ONE_LAYER:
            layer = self._layers.get(_key(text.partition(" ")[0]), layer)
        return StageCommand(trigger.id, options.kind, layer, text, trigger.actor, trigger.at, trigger.source)

    def _styled(self, prompt: str) -> str:
        return prompt if self.style is None else self._styles[self.style].replace("{prompt}", prompt)

    def _style_names(self) -> str:
        return ", ".join(self._styles) or "(none are configured)"


def _key(word: str) -> str:
    return _folded(clean(word))


def _folded(word: str) -> str:
    # Turkish capitals: casefold turns the dotted I into two characters; people also type "!bg:" and "!bg,".
    return word.casefold().replace("i\u0307", "i").rstrip(".,:;")


def _checked_prefix(prefix: str) -> str:
    cleaned = clean(prefix).casefold()
    if not cleaned or " " in cleaned or len(cleaned) > 10:
        raise ConfigError("prefix", f"'{prefix}' cannot start a command", fix="use one to ten characters, like !")
    return cleaned


def _checked_styles(styles: Mapping[str, str]) -> dict[str, str]:
    checked: dict[str, str] = {}
    for name, template in styles.items():
        if "{prompt}" not in template:
            raise ConfigError(f"styles.{name}", "does not contain {prompt}", fix='write "{prompt}, oil painting"')
        if not _key(name) or _key(name) in checked:
            raise ConfigError(f"styles.{name}", "is empty or stands here twice", fix="give it a name of its own")
        checked[_key(name)] = template
    return checked


def _words_of(commands: Mapping[str, CommandOptions], prefix: str) -> dict[str, _Word]:
    words: dict[str, _Word] = {}
    for command, options in commands.items():
        for typed in (command, *options.aliases):
            key = _key(typed)
            if not key or " " in key or key.startswith(prefix):
                fix = f"write one word without {prefix}"
                raise ConfigError(f"commands.{command}", f"'{typed}' cannot be a command word", fix=fix)
            if key in words:
                problem = f"'{typed}' already means '{words[key].command}'"
                raise ConfigError(f"commands.{command}", problem, fix="remove it from one of the two")
            words[key] = _Word(prefix + clean(typed), command, options)
    return words


def _layers_of(words: Mapping[str, _Word]) -> dict[str, str]:
    pictures = {key: word.options.layer for key, word in words.items() if word.options.kind in _EXAMPLES}
    names = {_key(layer): layer for layer in pictures.values() if layer}
    return names | {key: layer for key, layer in pictures.items() if layer}


def _caption(text: str, layout: str | None) -> tuple[str, Caption | None]:
    # One bar: the text goes below, where the punch line stands. No bar: a picture without text.
    if layout is None:
        return text, None
    words, *lines = (part.strip() for part in text.split("|", 2))
    top, bottom = ["", "", *lines][-2:]
    return words, Caption(top, bottom, layout) if top or bottom else None


def _seed(trigger_id: str) -> int:
    # Derived, so that a log line is enough to draw the picture again; surrogates may come in over HTTP.
    return int.from_bytes(blake2b(trigger_id.encode("utf-8", "surrogatepass"), digest_size=4).digest())


def _lane(trigger: Trigger) -> Lane:
    if trigger.actor.role == Role.BROADCASTER:
        return Lane.BROADCASTER
    return Lane.PAID if trigger.paid else Lane.CHAT
