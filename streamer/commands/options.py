"""The options of one command in config.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from streamer.types import RequestKind, Role, StageAction


class ImageKind(StrEnum):
    """The kinds of command that draw."""

    BACKGROUND = "background"
    MEME = "meme"
    STICKER = "sticker"
    EDIT = "edit"
    RESTYLE = "restyle"

    @property
    def changes_picture(self) -> bool:
        """Tell whether it starts from another picture instead of from nothing."""
        return self in (ImageKind.EDIT, ImageKind.RESTYLE)

    @property
    def request_kind(self) -> RequestKind:
        """Return the kind of the request that it makes: a restyle is an edit."""
        return RequestKind.EDIT if self.changes_picture else RequestKind(self.value)


class ReferenceSource(StrEnum):
    """Which picture an edit or a restyle starts from."""

    LAYER = "layer"
    PROGRAM = "program"


_FOR_EVERYONE = frozenset({StageAction.QUEUE, StageAction.HELP, StageAction.FORGETME})
_OPTIONS_OF_ACTIONS = frozenset({"aliases", "kind", "layer", "role"})


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


def _containing(place: str) -> AfterValidator:
    def check(template: str) -> str:
        if place not in template:
            raise ValueError(f"must contain {place}, which stands for the viewer's words")
        return template

    return AfterValidator(check)


Side = Annotated[int, Field(ge=64, le=2048), AfterValidator(_multiple_of_16)]
WrittenRole = Literal["viewer", "follower", "subscriber", "vip", "moderator", "broadcaster"]
RoleOption = Annotated[Role, BeforeValidator(_role, json_schema_input_type=WrittenRole)]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many denoising steps a model is made for, and how strongly the prompt guides it."""

    steps: int = 4
    guidance: float = 1.0


class CommandOptions(BaseModel):
    """One entry of the command table; sizes are pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ImageKind | StageAction = Field(
        description="background, meme, sticker, edit and restyle draw; undo, redo, clear, pause, resume, "
        "panic, next, free, warm, approve, deny, cut, ban, unban, forgetme, queue, help and style "
        "control the show"
    )
    aliases: tuple[str, ...] = Field(
        (), description="other words for the same command, in any language; capitals do not matter"
    )
    role: RoleOption | None = Field(
        None,
        description="lowest role that may use it: viewer, follower, subscriber, vip, moderator or "
        "broadcaster; left out: viewer for drawing, queue, help and forgetme, moderator for "
        "everything else and for reference: program",
    )
    layer: str | None = Field(
        None,
        min_length=1,
        description="layer (see layers:) of the picture; for undo, redo and clear: the layer if the chat line "
        "names none",
    )
    template: Annotated[str, _containing("{text}")] = Field(
        "{text}", description="the prompt; {text} is what the viewer typed, without links and names"
    )
    width: Side = Field(1024, description="pixels, a multiple of 16 from 64 to 2048; chat can never choose a size")
    height: Side = Field(1024, description="pixels, a multiple of 16 from 64 to 2048")
    num_inference_steps: int | None = Field(
        None, ge=1, le=100, description="denoising steps; null: as many as the model is made for"
    )
    guidance_scale: float | None = Field(
        None,
        ge=0,
        le=30,
        allow_inf_nan=False,
        description="how strongly the prompt guides the picture; null: as the model is made for",
    )
    cooldown_s: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="seconds that one person waits between two such commands; null: user_s of the cooldown rule",
    )
    seconds: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="seconds on air; null: until another picture replaces it"
    )
    layout: str | None = Field(
        None,
        min_length=1,
        description="position of a meme's caption: top_bottom, another built-in layout, or a file in the folder "
        "layouts of the state folder",
    )
    reference: ReferenceSource | None = Field(
        None,
        description="picture that edit and restyle change: layer (that layer's picture) or program (what viewers "
        "see in OBS, see obs:); left out: layer for edit, program for restyle",
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> CommandOptions:
        kind = self.kind
        if isinstance(kind, StageAction):
            if extra := sorted(self.model_fields_set - _OPTIONS_OF_ACTIONS):
                raise ValueError(f"kind {kind} draws nothing and does not use {', '.join(extra)}; remove it")
        elif self.layer is None:
            raise ValueError(f"layer is missing; kind {kind} needs one")
        if (self.layout is not None) != (kind is ImageKind.MEME):
            raise ValueError("kind meme needs a layout, like top_bottom; no other kind uses it")
        if self.reference is not None and not self.changes_picture:
            raise ValueError(f"only kinds edit and restyle use reference; remove it from kind {kind}")
        return self

    @property
    def draws(self) -> bool:
        """Tell whether it draws a picture."""
        return isinstance(self.kind, ImageKind)

    @property
    def changes_picture(self) -> bool:
        """Tell whether it draws a picture from another one."""
        return isinstance(self.kind, ImageKind) and self.kind.changes_picture

    @property
    def of_program(self) -> bool:
        """Tell whether it changes what viewers see in OBS instead of its own layer's picture."""
        if self.reference is None:
            return self.kind is ImageKind.RESTYLE
        return self.reference is ReferenceSource.PROGRAM

    @property
    def role_needed(self) -> Role:
        """Return the lowest role that may use it: its own, else viewer for pictures, queue and help, else moderator."""
        if self.role is not None:
            return self.role
        # What viewers see may hold the streamer's face and room.
        everyone = (self.draws and not self.of_program) or self.kind in _FOR_EVERYONE
        return Role.VIEWER if everyone else Role.MODERATOR
