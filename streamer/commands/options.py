"""The options of one command in config.yaml."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from streamer.types import Role

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
