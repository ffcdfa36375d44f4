"""Turn what somebody chose for a private picture into a request: a command's, but for what they chose otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from streamer.commands.parser import Commands
from streamer.errors import ConfigError
from streamer.interfaces import Abilities
from streamer.types import ImageRequest, Refusal, RequestKind, SamplingParams, Trigger

_PARAMS = ("width", "height", "num_inference_steps", "guidance_scale", "seed")


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """What to draw; None means as the command says, or as the model is made for.

    ``text`` is what follows the command word in chat. ``style`` is the style that is on if it is None, and no style if
    it is empty. ``reference`` is an encoded picture to change.
    """

    text: str
    command: str = ""
    style: str | None = None
    width: int | None = None
    height: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    seed: int | None = None
    reference: bytes | None = None


def draft_request(
    commands: Commands, abilities: Abilities, order: DraftOrder, trigger: Trigger
) -> ImageRequest | Refusal:
    """Return the request; ``trigger`` says who asks, and when.

    Raises ConfigError for a value that this program or its model cannot draw with.
    """
    names = tuple(commands.pictures)
    command = order.command or next(iter(names), "")
    if command not in names:
        raise ConfigError("command", f"'{command}' draws no picture", fix=f"use one of: {', '.join(names) or '(none)'}")
    if order.style is not None:
        commands = commands.with_style(order.style or None)
    request = commands.interpret(replace(trigger, text=f"{commands.prefix}{command} {order.text}"))
    if not isinstance(request, ImageRequest):
        return request if isinstance(request, Refusal) else Refusal(trigger.id, "syntax", "say what to draw")
    chosen = {name: value for name in _PARAMS if (value := getattr(order, name)) is not None}
    request = replace(request, params=replace(request.params, **chosen))
    _check_params(request.params, commands.largest_size, abilities)
    return request if order.reference is None else _with_reference(request, order.reference, abilities)


def _check_params(params: SamplingParams, largest: tuple[int, int], abilities: Abilities) -> None:
    """Refuse what the model does not draw, and what could take the memory that the show needs."""
    width, height = largest
    if params.width * params.height > width * height:
        problem = f"{params.width}x{params.height} is larger than the pictures of your commands"
        fix = f"use at most {width * height:,} pixels, like {width}x{height}"
        raise ConfigError("width, height", problem, fix=fix)
    most = abilities.most_steps
    if most is not None and params.num_inference_steps > most:
        problem = f"the model draws at most {most} steps, not {params.num_inference_steps}"
        raise ConfigError("num_inference_steps", problem, fix=f"use 1 to {most}")


def _with_reference(request: ImageRequest, reference: bytes, abilities: Abilities) -> ImageRequest:
    if not abilities.edits:
        raise ConfigError("image", "the model that draws cannot change pictures", fix="leave it out, or use Klein")
    return replace(request, kind=RequestKind.EDIT, reference=reference, of_program=False)
