"""The messages between this program and a worker on another computer, as bytes: a JSON header, then raw bytes.

A message is a version byte, the length of its header (4 bytes, big-endian), the header, and at most one picture.
Nothing is unpickled, and whatever does not fit a header's model is a WireError. A request travels as what is needed to
draw it: no person, no time and no id of the platform leaves this computer.
"""

from __future__ import annotations

import math
import struct
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from streamer.errors import BackendDied, BackendError, BackendLost, BackendUnavailable, ContentRefused, Unsupported
from streamer.generator.ipc import Cancel, DrawCommand, Failed, Heartbeat, JudgeUse, Produced, Standing, Start, Stopped
from streamer.interfaces import Abilities
from streamer.types import (
    Actor,
    Caption,
    Frame,
    ImageRequest,
    Judgement,
    Lane,
    Lora,
    Preview,
    RequestKind,
    Role,
    SamplingParams,
)

VERSION = 1
HEAD = struct.Struct(">BI")
MAX_HEADER, MAX_BYTES = 2**20, 32 * 2**20
LONGEST_TEXT, LONGEST_LINE = 20_000, 500
LARGEST_PX, MOST_STEPS, MOST_LAYOUTS, MOST_LORAS = 4096, 1000, 100, 200
NOBODY = Actor("", "", Role.VIEWER)

WorkerMessage = Start | DrawCommand | Cancel
HomeMessage = Standing | Heartbeat | Produced | Stopped | Failed
ERRORS = {
    error.__name__: error
    for error in (BackendError, BackendUnavailable, BackendDied, BackendLost, Unsupported, ContentRefused)
}

Job = Annotated[int, Field(ge=0, le=2**53)]
Pixels = Annotated[int, Field(ge=16, le=LARGEST_PX)]
Side = Annotated[int, Field(ge=0, le=LARGEST_PX)]
Steps = Annotated[int, Field(ge=0, le=MOST_STEPS)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Line = Annotated[str, Field(max_length=LONGEST_LINE)]
Name = Annotated[str, Field(pattern=r"^[\w.-]{1,100}$")]
LayoutName = Annotated[str, Field(pattern=r"^[\w-]{1,64}$")]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
MediaType = Literal["image/jpeg", "image/png", "image/webp"]


class WireError(Exception):
    """Bytes that are no message of this version, or a message that does not fit into one."""


class _Header(BaseModel):
    # A later release may add a key that this one does without; a change that needs more is a new version.
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")


class _Judge(_Header):
    name: Name
    options: dict[str, object]
    always: bool


class _Lora(_Header):
    path: Line
    weight: Annotated[float, Field(allow_inf_nan=False)]
    option: Line

    def lora(self) -> Lora:
        return Lora(self.path, self.weight, self.option)


class _Start(_Header):
    type: Literal["start"] = "start"
    home: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    sizes: Annotated[tuple[tuple[Pixels, Pixels], ...], Field(max_length=100)]
    jpeg_quality: Annotated[int, Field(ge=1, le=100)]
    judges: Annotated[tuple[_Judge, ...], Field(max_length=20)]
    layouts: Annotated[dict[LayoutName, Text], Field(max_length=MOST_LAYOUTS)]
    loras: Annotated[tuple[_Lora, ...], Field(max_length=MOST_LORAS)] = ()

    def message(self, picture: bytes) -> Start:
        judges = tuple(JudgeUse(judge.name, judge.options, judge.always) for judge in self.judges)
        loras = tuple(lora.lora() for lora in self.loras)
        return Start(self.home, self.sizes, self.jpeg_quality, judges, self.layouts, loras)


class _Params(_Header):
    width: Pixels
    height: Pixels
    num_inference_steps: Annotated[int, Field(ge=1, le=MOST_STEPS)]
    guidance_scale: Annotated[float, Field(allow_inf_nan=False)]
    seed: Annotated[int, Field(ge=0, lt=2**63)]


class _Caption(_Header):
    top: Text
    bottom: Text
    layout: Line


class _Draw(_Header):
    type: Literal["draw"] = "draw"
    job: Job
    kind: RequestKind
    prompt: Text
    text: Text
    words: Text
    template: Text
    params: _Params
    caption: _Caption | None
    preview_px: Annotated[int, Field(ge=1, le=512)]
    edits: bool
    loras: Annotated[tuple[_Lora, ...], Field(max_length=MOST_LORAS)] = ()

    def message(self, picture: bytes) -> DrawCommand:
        params = SamplingParams(**dict(self.params))
        caption = None if self.caption is None else Caption(**dict(self.caption))
        request = ImageRequest(
            f"job-{self.job}", "", self.kind, "", self.text, self.prompt, params, NOBODY, Lane.CHAT, 0.0, math.inf,
            caption=caption, reference=picture if self.edits else None, preview_px=self.preview_px, words=self.words,
            template=self.template, loras=tuple(lora.lora() for lora in self.loras),
        )  # fmt: skip
        return DrawCommand(self.job, request)


class _Cancel(_Header):
    type: Literal["cancel"] = "cancel"
    job: Job

    def message(self, picture: bytes) -> Cancel:
        return Cancel(self.job)


class _Standing(_Header):
    type: Literal["standing"] = "standing"
    draws: bool
    detail: Text
    active: Annotated[dict[Line, Text], Field(max_length=100)]
    edits: bool
    most_steps: int | None

    def message(self, picture: bytes) -> Standing:
        return Standing(self.draws, self.detail, self.active, Abilities(self.edits, self.most_steps))


class _Heartbeat(_Header):
    type: Literal["heartbeat"] = "heartbeat"

    def message(self, picture: bytes) -> Heartbeat:
        return Heartbeat()


class _Preview(_Header):
    type: Literal["preview"] = "preview"
    job: Job
    step: Steps
    steps: Steps
    media_type: MediaType | Literal[""]
    width: Side
    height: Side

    def message(self, picture: bytes) -> Produced:
        item = Preview("", "", self.step, self.steps, self.media_type, picture, self.width, self.height)
        return Produced(self.job, item)


class _Frame(_Header):
    type: Literal["frame"] = "frame"
    job: Job
    media_type: MediaType
    width: Pixels
    height: Pixels
    judgements: Annotated[tuple[Judgement, ...], Field(max_length=100)]
    drew_s: Seconds
    judged_s: Seconds
    left_out_words: bool

    def message(self, picture: bytes) -> Produced:
        frame = Frame(
            "", "", self.media_type, picture, self.width, self.height, self.judgements, self.drew_s, self.judged_s,
            self.left_out_words,
        )  # fmt: skip
        return Produced(self.job, frame)


class _Stopped(_Header):
    type: Literal["stopped"] = "stopped"
    job: Job

    def message(self, picture: bytes) -> Stopped:
        return Stopped(self.job)


class _Failed(_Header):
    type: Literal["failed"] = "failed"
    job: Job
    error: Name
    problem: Line
    fix: Line

    def message(self, picture: bytes) -> Failed:
        known = self.error if self.error in ERRORS else BackendError.__name__
        return Failed(self.job, known, _one_line(self.problem), _one_line(self.fix))


_TO_WORKER: TypeAdapter[_Start | _Draw | _Cancel] = TypeAdapter(
    Annotated[_Start | _Draw | _Cancel, Field(discriminator="type")]
)
_TO_HOME: TypeAdapter[_Standing | _Heartbeat | _Preview | _Frame | _Stopped | _Failed] = TypeAdapter(
    Annotated[_Standing | _Heartbeat | _Preview | _Frame | _Stopped | _Failed, Field(discriminator="type")]
)


def encode(message: WorkerMessage | HomeMessage) -> bytes:
    """Return a message as bytes; raise WireError for one that does not fit into its limits."""
    try:
        header, picture = _header_of(message)
        text = header.model_dump_json().encode()
    except (ValidationError, ValueError) as error:
        raise WireError(f"a {type(message).__name__} cannot be sent: {_first_problem(error)}") from error
    if len(text) > MAX_HEADER or HEAD.size + len(text) + len(picture) > MAX_BYTES:
        raise WireError(f"a {type(message).__name__} is too large to be sent")
    return b"".join((HEAD.pack(VERSION, len(text)), text, picture))


def decode_for_worker(data: bytes) -> WorkerMessage:
    """Read what a worker is sent; raise WireError for anything else."""
    return cast(WorkerMessage, _decode(_TO_WORKER, data))


def decode_for_home(data: bytes) -> HomeMessage:
    """Read what a worker answers; raise WireError for anything else."""
    return cast(HomeMessage, _decode(_TO_HOME, data))


def _decode(headers: TypeAdapter[Any], data: bytes) -> object:
    if len(data) < HEAD.size or len(data) > MAX_BYTES:
        raise WireError(f"{len(data)} bytes are no message")
    version, length = HEAD.unpack_from(data)
    if version != VERSION:
        raise WireError(f"the message is of version {version}, not {VERSION}")
    if length > min(MAX_HEADER, len(data) - HEAD.size):
        raise WireError("the message is cut off")
    try:
        header = headers.validate_json(data[HEAD.size : HEAD.size + length])
    except ValidationError as error:
        raise WireError(f"the message cannot be read: {_first_problem(error)}") from error
    return header.message(data[HEAD.size + length :])


def _header_of(message: WorkerMessage | HomeMessage) -> tuple[_Header, bytes]:
    """Return the header of a message, and the picture that follows it."""
    match message:
        case DrawCommand(job, request):
            return _draw_header(job, request), request.reference or b""
        case Produced(job, Frame() as frame):
            return _Frame(
                job=job, media_type=cast(MediaType, frame.media_type), width=frame.width, height=frame.height,
                judgements=frame.judgements, drew_s=frame.drew_s, judged_s=frame.judged_s,
                left_out_words=frame.left_out_words,
            ), frame.data  # fmt: skip
        case Produced(job, Preview() as preview):
            return _Preview(
                job=job, step=preview.step, steps=preview.steps, media_type=cast(MediaType, preview.media_type),
                width=preview.width, height=preview.height,
            ), preview.data  # fmt: skip
        case _:
            return _bare_header_of(message), b""


def _bare_header_of(message: WorkerMessage | HomeMessage) -> _Header:
    """Return the header of a message without a picture."""
    match message:
        case Start(home, sizes, jpeg_quality, judges, layouts, loras):
            uses = tuple(_Judge(name=judge.name, options=dict(judge.options), always=judge.always) for judge in judges)
            return _Start(
                home=home, sizes=tuple(sizes), jpeg_quality=jpeg_quality, judges=uses, layouts=dict(layouts),
                loras=_loras(loras),
            )  # fmt: skip
        case Cancel(job):
            return _Cancel(job=job)
        case Standing(draws, detail, active, abilities):
            return _Standing(
                draws=draws, detail=detail[:LONGEST_TEXT], active=dict(active), edits=abilities.edits,
                most_steps=abilities.most_steps,
            )  # fmt: skip
        case Heartbeat():
            return _Heartbeat()
        case Stopped(job):
            return _Stopped(job=job)
        case Failed(job, error, problem, fix):
            return _Failed(job=job, error=error, problem=_one_line(problem), fix=_one_line(fix))
        case _:
            raise ValueError("it is none of the wire's")


def _draw_header(job: int, request: ImageRequest) -> _Draw:
    params, caption = request.params, request.caption
    return _Draw(
        job=job, kind=request.kind, prompt=_sound(request.prompt), text=_sound(request.text),
        words=_sound(request.words), template=_sound(request.template),
        params=_Params(
            width=params.width, height=params.height, num_inference_steps=params.num_inference_steps,
            guidance_scale=params.guidance_scale, seed=params.seed,
        ),
        caption=caption and _Caption(top=_sound(caption.top), bottom=_sound(caption.bottom), layout=caption.layout),
        preview_px=request.preview_px, edits=request.reference is not None, loras=_loras(request.loras),
    )  # fmt: skip


def _loras(loras: tuple[Lora, ...]) -> tuple[_Lora, ...]:
    return tuple(_Lora(path=lora.path, weight=lora.weight, option=lora.option) for lora in loras)


def _sound(text: str) -> str:
    """Replace halves of surrogate pairs, which UTF-8 does not have."""
    return text.encode("utf-8", "replace").decode()


def _one_line(text: str) -> str:
    """Return a text as one printable line: what another computer says of a fault may be shown in chat."""
    return "".join(char if char.isprintable() else " " for char in text)[:LONGEST_LINE]


def _first_problem(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:LONGEST_LINE]
