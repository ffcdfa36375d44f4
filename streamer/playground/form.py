"""What stands in the page's fields, as orders to the program; what the program answers, as lines on the page."""

from __future__ import annotations

import base64
import io
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageOps

from streamer.playground.client import Choices, PlaygroundDraft

COMMAND_SIZE = "as the command"
STYLE_ON, NO_STYLE = "the one that is on", "none"
LARGEST_SEED = 2**32 - 1
UPLOAD_PX = 1536
"""The longest side of a picture to change; models look at a smaller copy anyway."""
SQUARES = (512, 768, 1024)
_SIZE = re.compile(r"\s*(\d{2,4})\s*[x×*]\s*(\d{2,4})\s*", re.IGNORECASE)


class FieldFault(ValueError):
    """A field of the page cannot be used; the message names the field and the fix."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of the page; ``seed`` None means a new one for each press, ``image`` is a file."""

    text: str
    command: str = ""
    style: str = STYLE_ON
    size: str = COMMAND_SIZE
    steps: int = 0
    seed: int | None = None
    image: str | None = None


def sizes(choices: Choices) -> list[str]:
    """List the sizes to choose from: those of the commands, which are warm, and squares that the show can bear."""
    own = {(command.width, command.height) for command in choices.commands.values()}
    squares = {(side, side) for side in SQUARES if side * side <= choices.most_pixels}
    return [COMMAND_SIZE, *(f"{width}x{height}" for width, height in sorted(own | squares))]


def styles(choices: Choices) -> list[str]:
    """List the styles to choose from."""
    return [STYLE_ON, NO_STYLE, *choices.styles]


def order(fields: Fields) -> dict[str, object]:
    """Return the order for one picture; raise FieldFault for what the program would not even look at."""
    if not fields.text.strip():
        raise FieldFault("Prompt: write what to draw, like: a fox in the snow")
    made: dict[str, object] = {"text": fields.text.strip(), "seed": new_seed() if fields.seed is None else fields.seed}
    if fields.command:
        made["command"] = fields.command
    if fields.style != STYLE_ON:
        made["style"] = "" if fields.style == NO_STYLE else fields.style
    if fields.size.strip() and fields.size != COMMAND_SIZE:
        made["width"], made["height"] = parsed_size(fields.size)
    if fields.steps:
        made["num_inference_steps"] = fields.steps
    if fields.image is not None:
        made["image"] = base64.b64encode(reduced(fields.image)).decode()
    return made


def grid_orders(fields: Fields, count: int) -> list[dict[str, object]]:
    """Return orders for the same picture with seeds that follow each other."""
    first = order(fields)
    return [{**first, "seed": (int(str(first["seed"])) + number) % (LARGEST_SEED + 1)} for number in range(count)]


def compared_orders(fields: Fields, other: Fields) -> list[dict[str, object]]:
    """Return two orders with one seed; the second has the other fields' style, size and steps."""
    first = order(fields)
    second = replace(fields, style=other.style, size=other.size, steps=other.steps, seed=int(str(first["seed"])))
    return [first, order(second)]


def new_seed() -> int:
    """Choose a seed."""
    return random.randrange(LARGEST_SEED + 1)


def parsed_seed(text: str) -> int | None:
    """Return the seed in a field, None when it is empty; raise FieldFault for what is no seed."""
    if not text.strip():
        return None
    if not text.strip().isdecimal() or int(text) > LARGEST_SEED:
        raise FieldFault(f"Seed: '{text}' is no whole number from 0 to {LARGEST_SEED}; leave it empty for a new one")
    return int(text)


def parsed_size(text: str) -> tuple[int, int]:
    """Return width and height of a size like 768x512; raise FieldFault for anything else."""
    if (match := _SIZE.fullmatch(text)) is None:
        raise FieldFault(f"Size: '{text}' is no size; write it like 768x512")
    return int(match[1]), int(match[2])


def reduced(path: str) -> bytes:
    """Return a picture to change as JPEG, upright and no larger than models need; raise FieldFault for other files."""
    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise FieldFault("Picture to change: cannot be read; use a PNG, JPEG or WebP file") from error
    upright.thumbnail((UPLOAD_PX, UPLOAD_PX))
    buffer = io.BytesIO()
    upright.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def state_line(draft: PlaygroundDraft) -> str:
    """Say in a line where a draft stands."""
    if draft.state == "queued":
        return "waits for its turn"
    if draft.state == "drawing":
        return f"step {draft.step} of {draft.steps}"
    if not draft.drawn:
        return f"{draft.state}: {draft.reason}"
    held = f"; on air a moderator would look first: {draft.reason}" if draft.reason else ""
    short = "; the model could not read all of the text" if draft.left_out_words else ""
    return f"seed {draft.seed}, {draft.times_ms.get('draw', 0):.0f} ms{short}{held}"


def times_table(drafts: Sequence[PlaygroundDraft], names: Sequence[str] = ()) -> str:
    """Return a Markdown table of what was drawn and how long each part of it took."""
    drawn = [draft for draft in drafts if draft.drawn]
    if not drawn:
        return ""
    titles = list(names) or [str(number) for number in range(1, len(drafts) + 1)]
    head = ("", "size", "steps", "seed", "model", "judges", "drawn in", "waited")
    rows = [_row(title, draft) for title, draft in zip(titles, drafts, strict=True) if draft.drawn]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n\n" + _summary(drawn)


def _row(title: str, draft: PlaygroundDraft) -> list[str]:
    times = [f"{draft.times_ms[name]:.0f} ms" if name in draft.times_ms else "" for name in ("model", "judge", "draw")]
    waited = f"{draft.times_ms.get('wait', 0):.0f} ms"
    size = f"{draft.width}x{draft.height}"
    return [title, size, str(draft.steps_chosen), str(draft.seed), *times, waited]


def _summary(drawn: Sequence[PlaygroundDraft]) -> str:
    """Say what the model read, and how two settings compare."""
    prompts = list(dict.fromkeys(draft.prompt for draft in drawn))
    read = "; ".join(f"“{prompt}”" for prompt in prompts)
    times = [draft.times_ms.get("model", 0.0) for draft in drawn]
    ratio = f" The second took {times[1] / times[0]:.2f} times as long as the first." if _two(times) else ""
    return f"The model read {read}.{ratio}"


def _two(times: Sequence[float]) -> bool:
    return len(times) == 2 and min(times) > 0
