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
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from streamer.errors import ConfigError
from streamer.text import clean, without_links, without_markers, without_mentions
from streamer.types import Caption, ImageRequest, Lane, Refusal, Role, SamplingParams, StageCommand, Trigger

ImageKind = Literal["background", "meme", "sticker", "edit", "restyle"]
StageKind = Literal[
    "undo", "redo", "clear", "pause", "resume", "panic", "next", "free", "warm", "approve", "deny", "cut", "ban",
    "unban", "forgetme", "queue", "help", "style",
]  # fmt: skip

SAME = "the same scene"
"""What a style is put around when it is the picture, and no words, that says what to draw."""

_FOR_EVERYONE = frozenset({"queue", "help", "forgetme"})
_OF_ONE_LAYER = frozenset({"undo", "redo", "clear"})
_FOR_STAGE_COMMANDS = frozenset({"aliases", "kind", "layer", "role"})
_EXAMPLES = {
    "background": "needs a few words, like: {word} stormy harbour at night",
    "meme": "needs a picture and a text, like: {word} cat at a desk | monday | again",
    "sticker": "needs a few words, like: {word} happy robot",
    "edit": "needs to know what to change, like: {word} make it winter",
    "restyle": "needs one of: {styles}",
}
_CHANGING = ("edit", "restyle")
_PLURALS = {
    Role.FOLLOWER: "followers",
    Role.SUBSCRIBER: "subscribers",
    Role.VIP: "VIPs",
    Role.MODERATOR: "moderators",
    Role.BROADCASTER: "the streamer",
}


def _multiple_of_16(side: int) -> int:
    if side % 16:
        below = side - side % 16
        raise ValueError(f"{side} is not a multiple of 16, which the model needs; use {below} or {below + 16}")
    return side


def _role(value: object) -> object:
    if isinstance(value, Role):
        return value
    names = [role.name.lower() for role in Role]
    if not isinstance(value, str) or value.casefold() not in names:
        raise ValueError(f"must be one of {', '.join(names)}")
    return Role[value.upper()]


def _with_place(name: str) -> AfterValidator:
    def check(template: str) -> str:
        if name not in template:
            raise ValueError(f"must contain {name}, the place where the viewer's words go")
        return template

    return AfterValidator(check)


Side = Annotated[int, Field(ge=64, le=2048), AfterValidator(_multiple_of_16)]
RoleName = Annotated[Role, BeforeValidator(_role)]


class CommandOptions(BaseModel):
    """One entry of the command table; sizes are pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ImageKind | StageKind = Field(description="what the command does")
    aliases: tuple[str, ...] = Field((), description="other words for the same command, in any language")
    role: RoleName | None = Field(None, description="lowest role that may use it; None: the kind's own")
    layer: str | None = Field(None, min_length=1, description="where the picture goes, or what a stage command means")
    template: Annotated[str, _with_place("{text}")] = Field("{text}", description="prompt around the viewer's words")
    width: Side = Field(1024, description="pixels, a multiple of 16; chat can never set it")
    height: Side = Field(1024, description="pixels, a multiple of 16; chat can never set it")
    num_inference_steps: int = Field(4, ge=1, le=100, description="denoising steps")
    guidance_scale: float = Field(1.0, ge=0, le=30, allow_inf_nan=False, description="1.0 for distilled models")
    cooldown_s: float | None = Field(None, ge=0, allow_inf_nan=False, description="per user; None: the rule's default")
    seconds: float | None = Field(None, gt=0, allow_inf_nan=False, description="time on air; None: until replaced")
    layout: str | None = Field(None, min_length=1, description="name of the meme's caption layout")
    reference: Literal["layer", "program"] | None = Field(
        None, description="what an edit or restyle starts from: its layer's picture, or what viewers see in OBS"
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> CommandOptions:
        if self.kind in get_args(StageKind):
            if extra := sorted(self.model_fields_set - _FOR_STAGE_COMMANDS):
                raise ValueError(
                    f"{', '.join(extra)} means nothing for kind {self.kind}, which draws nothing; remove it"
                )
        elif self.layer is None:
            raise ValueError(f"layer is missing; a {self.kind} must say which layer it goes to")
        if (self.layout is not None) != (self.kind == "meme"):
            raise ValueError("a meme needs a layout, like top_bottom, and nothing else may have one")
        if self.reference is not None and self.kind not in _CHANGING:
            raise ValueError(f"reference goes with {' and '.join(_CHANGING)}; a {self.kind} starts from nothing")
        return self

    @property
    def of_program(self) -> bool:
        """Tell whether it changes what viewers see in OBS, and not the picture of its own layer."""
        return self.reference == "program" or (self.kind == "restyle" and self.reference is None)

    @property
    def role_needed(self) -> Role:
        """Say who may use it: an own role, else viewer for pictures, queue and help, else moderator."""
        if self.role is not None:
            return self.role
        # What viewers see may hold the streamer's face and room.
        everyone = (self.kind in get_args(ImageKind) and not self.of_program) or self.kind in _FOR_EVERYONE
        return Role.VIEWER if everyone else Role.MODERATOR


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
