"""Anybody's server with OpenAI's images API: its options; generator/openai_images/backend.py draws.

The text of a picture leaves the house; who asked for it does not (docs/picture-api.md).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from streamer.errors import BackendUnavailable, ConfigError, StoreError
from streamer.generator.backend import Backend
from streamer.storage import secret_files

KEY_FILE = "openai_images"
OURS = frozenset({"prompt", "n", "size", "image", "stream", "partial_images", "user", "safety_identifier", "model"})


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is no address like https://api.openai.com/v1")
    return url.rstrip("/")


def _size(text: str) -> str:
    parse_size(text)
    return text


def parse_size(text: str) -> tuple[int, int]:
    """Return width and height of a size like 1024x1024; raise ValueError."""
    width, separator, height = text.partition("x")
    if not (separator and width.isdecimal() and height.isdecimal() and len(text) <= 9 and int(width) and int(height)):
        raise ValueError(f"{text!r} is no size; write it like 1024x1024")
    return int(width), int(height)


def _further(parameters: dict[str, object]) -> dict[str, object]:
    if taken := sorted(OURS & parameters.keys()):
        raise ValueError(f"{', '.join(taken)} cannot be set here")
    return parameters


class Options(BaseModel):
    """Which server draws, with which model, and what it can do."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_address)] = Field(
        "https://api.openai.com/v1", description="where the server's API begins; prompts are sent there, names are not"
    )
    model: str | None = Field("gpt-image-1", min_length=1, description="the server's model; null: as the server likes")
    key_file: str | None = Field(
        f"secrets/{KEY_FILE}",
        description="file with the API key, which only you may read; a relative path is in the state folder; null: "
        "the server needs none",
    )
    timeout_s: float = Field(
        60.0, gt=0, le=600, description="seconds for one picture; generator.process.deadline_s ends it earlier"
    )
    sizes: tuple[Annotated[str, AfterValidator(_size)], ...] = Field(
        ("1024x1024", "1536x1024", "1024x1536"),
        description="sizes that the server draws; the nearest shape is cut and scaled to what the command wants; "
        "[]: the server draws any size",
    )
    partial_images: int = Field(
        0, ge=0, le=3, description="unfinished pictures to ask for, as previews; some servers charge for them"
    )
    edits: bool = Field(True, description="true: the server can change pictures (images/edits)")
    transparent: bool = Field(
        False, description="true: ask for stickers without a background, which gpt-image-1 can draw"
    )
    seed: bool = Field(False, description="true: send the seed, which streamer's own API takes and OpenAI's does not")
    parameters: Annotated[dict[str, object], AfterValidator(_further)] = Field(
        {}, description="further parameters of each request, like {quality: low}"
    )

    @model_validator(mode="after")
    def _check_no_secret(self) -> Options:
        """Refuse a key that stands in the file. A check of one value would repeat it in its message."""
        if self.key_file is not None and self.key_file.startswith("sk-"):
            raise ValueError("key_file must name a file; write the key into one that only you can read")
        if "@" in urlsplit(self.url).netloc:
            raise ValueError("url must have no password in it; write the key into a file, and name it in key_file")
        return self


def key_path(options: Options, home: Path) -> Path | None:
    """Return the file with the key, None if the server needs none."""
    return None if options.key_file is None else home / Path(options.key_file).expanduser()


def read_key(path: Path | None) -> str:
    """Return the key, "" without a file; raise BackendUnavailable when there is none that can be used."""
    if path is None:
        return ""
    try:
        content = secret_files.read(path)
    except (ConfigError, StoreError) as error:
        raise BackendUnavailable(str(error)) from None
    key = (content or b"").decode("ascii", "replace").strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        problem = "is missing" if content is None else "has no key in it"
        fix = "write the key into it, alone, readable by you only; or set key_file to null if the server needs none"
        raise BackendUnavailable(f"the key file {path} {problem}", fix=fix)
    return key


def create(options: Options) -> Backend:
    """Create the backend; nothing is sent before there is something to draw."""
    from streamer.generator.openai_images.backend import OpenAiImages
    from streamer.generator.openai_images.client import ImagesClient

    home = Path(os.environ.get("STREAMER_HOME", "."))
    client = ImagesClient(options.url, options.timeout_s, read_key(key_path(options, home)))
    parameters: dict[str, object] = {**options.parameters, **({"model": options.model} if options.model else {})}
    if options.partial_images:
        parameters |= {"stream": True, "partial_images": options.partial_images}
    sizes = tuple(map(parse_size, options.sizes))
    return OpenAiImages(
        client, parameters, sizes, edits=options.edits, transparent=options.transparent, sends_seed=options.seed
    )
