"""The JSON of private pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streamer.api.schemas import Key
from streamer.commands.draft_order import DraftOrder
from streamer.commands.options import Side
from streamer.commands.parser import Commands
from streamer.interfaces import Abilities
from streamer.pipeline.drafts import Draft
from streamer.pipeline.private_draw import Airing


class DraftIn(BaseModel):
    """A private picture to draw; whatever is left out is as the command says, or as the model is made for.

    ``text`` is what follows the command word in chat. ``style`` names a prompt style; "" is none, and left out, it is
    the style that is on. ``image`` is a picture to change: PNG, JPEG or WebP in base64. With an ``id`` a retry is
    harmless; the draft's own begins with draft- and ends with it.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    command: Annotated[str, Field(max_length=64)] = ""
    style: Annotated[str | None, Field(max_length=64)] = None
    width: Side | None = None
    height: Side | None = None
    num_inference_steps: Annotated[int | None, Field(ge=1, le=100)] = None
    guidance_scale: Annotated[float | None, Field(ge=0, le=30)] = None
    seed: Annotated[int | None, Field(ge=0, lt=2**32)] = None
    image: str | None = None
    id: Annotated[str, Field(min_length=1, max_length=128), Key] | None = None

    def order(self) -> DraftOrder:
        """Return what the commands turn into a request."""
        return DraftOrder(**self.model_dump(exclude={"id", "image"}))


class DraftOut(BaseModel):
    """A private picture; times are in milliseconds, and null as long as nobody knows them.

    ``state`` is queued or drawing, and at the end drawn, refused, expired, cancelled or failed. ``rule`` and ``reason``
    say why there is no picture; of a drawn one, why a moderator would look at it before it goes on air.
    ``wait_ms`` is until its drawing began, ``draw_ms`` until it was judged; ``model_ms`` of that is the model's own,
    and ``judge_ms`` the judges'. ``left_out_words`` says that the model could not read all of the text.
    """

    id: str
    state: str
    command: str
    layer: str
    text: str
    prompt: str
    width: int
    height: int
    num_inference_steps: int
    guidance_scale: float
    seed: int
    step: int
    steps: int
    rule: str
    reason: str
    wait_ms: float | None
    draw_ms: float | None
    model_ms: float | None
    judge_ms: float | None
    left_out_words: bool
    aired: bool


class DraftMessage(DraftOut):
    """What the socket sends: a private picture that has changed, with its newest preview in base64 if there is one."""

    type: str = "draft"
    preview: str = ""
    preview_type: str = ""


class AiringOut(BaseModel):
    """What became of a private picture that was to go on air: shown, held, refused, cancelled or failed, and why."""

    state: str
    rule: str
    reason: str


class CommandSizeOut(BaseModel):
    """What a command draws if nothing else is chosen, and on which layer."""

    layer: str
    width: int
    height: int
    edits: bool


class DraftOptionsOut(BaseModel):
    """What can be chosen for a private picture now; ``most_steps`` is null while the model sets no limit."""

    commands: Mapping[str, CommandSizeOut]
    styles: list[str]
    style: str | None
    most_pixels: int
    most_steps: int | None
    steps: int
    edits: bool


def draft(value: Draft) -> DraftOut:
    """Convert a draft, without its pictures."""
    request, params, frame, preview = value.request, value.request.params, value.frame, value.preview
    waited_s = None if value.started_at is None else max(0.0, value.started_at - request.at)
    return DraftOut(
        id=request.id, state=value.state, command=request.command, layer=request.layer, text=request.text,
        prompt=request.prompt, width=params.width, height=params.height,
        num_inference_steps=params.num_inference_steps, guidance_scale=params.guidance_scale, seed=params.seed,
        step=preview.step if preview else 0, steps=preview.steps if preview else params.num_inference_steps,
        rule=value.rule, reason=value.reason, wait_ms=_ms(waited_s), draw_ms=_ms(value.draw_s if frame else None),
        model_ms=_ms(frame.drew_s if frame else None), judge_ms=_ms(frame.judged_s if frame else None),
        left_out_words=frame is not None and frame.left_out_words, aired=value.aired,
    )  # fmt: skip


def draft_message(value: Draft) -> DraftMessage:
    """Convert a draft, with its preview."""
    preview = value.preview
    if preview is None:
        return DraftMessage(**draft(value).model_dump())
    data = base64.b64encode(preview.data).decode()
    return DraftMessage(**draft(value).model_dump(), preview=data, preview_type=preview.media_type)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def airing(value: Airing) -> AiringOut:
    """Convert what became of a picture that was to go on air."""
    return AiringOut(state=value.state, rule=value.rule, reason=value.reason)


def draft_options(commands: Commands, abilities: Abilities) -> DraftOptionsOut:
    """Gather what can be chosen for a private picture."""
    width, height = commands.largest_size
    sizes = {
        name: CommandSizeOut(
            layer=options.layer or "", width=options.width, height=options.height, edits=options.changes_picture
        )
        for name, options in commands.pictures.items()
    }
    return DraftOptionsOut(
        commands=sizes, styles=list(commands.styles), style=commands.style, most_pixels=width * height,
        most_steps=abilities.most_steps, steps=commands.usual_steps, edits=abilities.edits,
    )  # fmt: skip
