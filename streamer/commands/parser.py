"""Turn what someone typed into a request for a picture, or into a stage command.

``!word rest`` is a command if ``word`` is in the table; everything else is ordinary chat. Text is cleaned before it is
parsed, and words are compared by what their spellings have in common: capitals, widths and invisible suffixes do not
matter. Whatever follows the word is text and never an option: sizes, steps and layers come from the table alone. The
policy checks who may ask for a picture; stage commands never pass the policy, so their roles are checked here.
"""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b

from streamer.commands.options import CommandOptions, ImageKind, Sampling
from streamer.commands.redaction import left_out, redact
from streamer.commands.styles import StyleOptions, loras_of
from streamer.commands.word_table import (
    CommandWord,
    check_prefix,
    check_styles,
    index_layers,
    index_words,
    word_key,
)
from streamer.errors import ConfigError
from streamer.text import clean, match_form
from streamer.types import (
    Actor,
    Caption,
    ImageRequest,
    Lane,
    Lora,
    Refusal,
    Role,
    SamplingParams,
    StageAction,
    StageCommand,
    Trigger,
)

RESTYLE_SUBJECT = "the same scene"
"""What a style is put around when the picture, and no words, says what to draw."""

_USAGE = {
    ImageKind.BACKGROUND: "needs a few words, like: {word} stormy harbour at night",
    ImageKind.MEME: "needs a picture and a text, like: {word} cat at a desk | monday | again",
    ImageKind.STICKER: "needs a few words, like: {word} happy robot",
    ImageKind.EDIT: "needs to know what to change, like: {word} make it winter",
    ImageKind.RESTYLE: "needs one of: {styles}",
}
_PLURALS = {
    Role.FOLLOWER: "followers",
    Role.SUBSCRIBER: "subscribers",
    Role.VIP: "VIPs",
    Role.MODERATOR: "moderators",
    Role.BROADCASTER: "the streamer",
}
# Asian keyboards type the bar in full width.
_BAR = re.compile("[|｜]")
_ABOUT_ONE_LAYER = frozenset({StageAction.UNDO, StageAction.REDO, StageAction.CLEAR})


class Commands:
    """The command table, the prompt styles, and the style that is on; immutable: ``with_style`` returns a copy."""

    def __init__(
        self,
        commands: Mapping[str, CommandOptions],
        *,
        styles: Mapping[str, StyleOptions],
        expires_after_s: float,
        prefix: str = "!",
        sampling: Sampling | None = None,
    ) -> None:
        self._table = commands
        self._prefix = check_prefix(prefix)
        self._words = index_words(commands, self._prefix)
        self._layers = index_layers(self._words)
        self._styles = check_styles(styles)
        self._expires_after_s = expires_after_s
        self._sampling = sampling or Sampling()
        self._style: str | None = None
        self._scene_style: str | None = None

    @property
    def prefix(self) -> str:
        """Return what a command starts with."""
        return self._prefix

    @property
    def drawing(self) -> tuple[str, ...]:
        """Return the names of the commands that draw a picture from words alone."""
        return tuple(name for name, options in self._table.items() if options.draws and not options.changes_picture)

    @property
    def pictures(self) -> Mapping[str, CommandOptions]:
        """Return the commands that draw, by name."""
        return {name: options for name, options in self._table.items() if options.draws}

    @property
    def largest_size(self) -> tuple[int, int]:
        """Return width and height of the largest picture of any command; (0, 0) if none draws."""
        sizes = ((options.width, options.height) for options in self.pictures.values())
        return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))

    @property
    def usual_steps(self) -> int:
        """Return how many denoising steps the model is made for."""
        return self._sampling.steps

    @property
    def styles(self) -> tuple[str, ...]:
        """Return the names of the prompt styles."""
        return tuple(self._styles)

    @property
    def style(self) -> str | None:
        """Return the name of the style that wraps prompts now, None for no style."""
        return self._scene_style or self._style

    def with_style(self, name: str | None) -> Commands:
        """Return the same table with another style on; raise ConfigError for an unknown one."""
        if name is not None and (name := word_key(name)) not in self._styles:
            raise ConfigError("style", f"there is no style '{name}'", fix=f"use one of {self._style_names()}")
        other = copy.copy(self)
        other._style, other._scene_style = name, None
        return other

    def in_scene(self, style: str | None) -> Commands:
        """Return the same table with the style that a scene asks for; it stays on until somebody chooses another."""
        other = copy.copy(self)
        other._scene_style = None if style is None else self.with_style(style)._style
        return other

    def help(self, role: Role, *, edits: bool = True, program: bool = True) -> str:
        """List in one chat-safe line the commands that someone of this role can use now.

        ``edits``: the generator can change pictures; ``program``: what viewers see in OBS can be captured.
        """
        usable = (
            name
            for name, options in self._table.items()
            if role >= options.role_needed and (edits or not options.changes_picture)
            and (program or not options.of_program)
        )  # fmt: skip
        return " ".join(f"{self._prefix}{name}" for name in usable)

    def interpret(self, trigger: Trigger) -> ImageRequest | StageCommand | Refusal | None:
        """Return what a trigger asks for; None for ordinary chat and for words that are not in the table."""
        if self._cannot_be_command(trigger.text):
            return None
        first, _, rest = clean(trigger.text).partition(" ")
        typed = match_form(first)
        word = self._words.get(word_key(typed[len(self._prefix) :])) if typed.startswith(self._prefix) else None
        if word is None:
            return None
        kind = word.options.kind
        if isinstance(kind, ImageKind):
            return self._image_request(word, kind, rest, trigger)
        return self._stage_command(word, kind, rest, trigger)

    def _params(self, options: CommandOptions, request: str) -> SamplingParams:
        """Return how to draw: as the command says, else as the model is made for."""
        steps, guidance = options.num_inference_steps, options.guidance_scale
        return SamplingParams(
            options.width,
            options.height,
            self._sampling.steps if steps is None else steps,
            self._sampling.guidance if guidance is None else guidance,
            _seed(request),
        )

    def _cannot_be_command(self, text: str) -> bool:
        # Nearly all chat ends here, by its first character; one that cleaning drops decides nothing.
        first = text.lstrip()[:1]
        typed = first.casefold() if "!" <= first <= "~" else match_form(clean(first))
        return typed != "" and typed[0] != self._prefix[0]

    def _image_request(self, word: CommandWord, kind: ImageKind, text: str, trigger: Trigger) -> ImageRequest | Refusal:
        options = word.options
        allowed, removed = redact(text)
        words, caption = _caption(allowed, options.layout)
        if not words or (kind is ImageKind.RESTYLE and word_key(words) not in self._styles):
            usage = _USAGE[kind].replace("{word}", word.typed).replace("{styles}", self._style_names())
            why = f"; {left_out(removed)}" if removed else ""
            return Refusal(trigger.id, "syntax", f"{word.typed} {usage}{why}")
        template = self._template(options, words)
        return ImageRequest(
            id=trigger.id,
            command=word.command,
            kind=kind.request_kind,
            layer=options.layer or "",
            text=text,
            prompt=template.replace("{text}", words),
            params=self._params(options, trigger.id),
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
            words=words,
            template=template,
            removed=removed,
            loras=self._loras(options, words),
        )

    def _template(self, options: CommandOptions, words: str) -> str:
        """Return the prompt with {text} where the words belong; a style that is asked for by name has no place."""
        if options.kind is ImageKind.RESTYLE:
            style = self._styles[word_key(words)]
            return options.template.replace("{text}", style.prompt.replace("{prompt}", RESTYLE_SUBJECT))
        return self._styled(options.template)

    def _loras(self, options: CommandOptions, words: str) -> tuple[Lora, ...]:
        """Return the LoRAs of the style that a request is drawn in."""
        style = word_key(words) if options.kind is ImageKind.RESTYLE else self.style
        return () if style is None else loras_of(self._styles[style].lora, f"styles.{style}.lora")

    def _stage_command(
        self, word: CommandWord, action: StageAction, text: str, trigger: Trigger
    ) -> StageCommand | Refusal:
        options = word.options
        if trigger.actor.role < options.role_needed:
            return Refusal(trigger.id, "role", f"{word.typed} is for {_PLURALS[options.role_needed]}")
        if action is StageAction.STYLE and (text := word_key(text)) not in self._styles:
            return Refusal(trigger.id, "syntax", f"{word.typed} needs one of: {self._style_names()}")
        layer = options.layer
        if action in _ABOUT_ONE_LAYER:
            layer = self._layers.get(word_key(text.partition(" ")[0]), layer)
        return StageCommand(trigger.id, action, layer, text, trigger.actor, trigger.at, trigger.source)

    def _styled(self, prompt: str) -> str:
        return prompt if self.style is None else self._styles[self.style].prompt.replace("{prompt}", prompt)

    def _style_names(self) -> str:
        return ", ".join(self._styles) or "(none are configured)"


def _caption(text: str, layout: str | None) -> tuple[str, Caption | None]:
    # With one bar the text goes below, where the punch line is. Without a bar the picture has no text.
    if layout is None:
        return text, None
    words, *lines = (part.strip() for part in _BAR.split(text, maxsplit=2))
    top, bottom = ["", "", *lines][-2:]
    return words, Caption(top, bottom, layout) if top or bottom else None


def _seed(trigger_id: str) -> int:
    # Derived from the id, so that a log line is enough to draw the picture again. Surrogates may arrive over HTTP.
    return int.from_bytes(blake2b(trigger_id.encode("utf-8", "surrogatepass"), digest_size=4).digest())


def _lane(trigger: Trigger) -> Lane:
    if trigger.actor.role == Role.BROADCASTER:
        return Lane.BROADCASTER
    return Lane.PAID if trigger.paid else Lane.CHAT


def request_for(commands: Commands, prefix: str, word: str, prompt: str, seed: int | None) -> ImageRequest:
    """Turn a prompt of the command line into a request, exactly as a chat line with that command word.

    Raises ConfigError when no such command draws a picture.
    """
    trigger = Trigger(
        f"draw-{time.time_ns()}", "draw", f"{prefix}{word} {prompt}", Actor("draw", "draw", Role.BROADCASTER), 0.0
    )
    request = commands.interpret(trigger)
    if not isinstance(request, ImageRequest):
        drawing = ", ".join(commands.drawing)
        raise ConfigError("--as", f"no command '{word}' draws a picture", fix=f"use one of: {drawing}")
    return request if seed is None else replace(request, params=replace(request.params, seed=seed))
