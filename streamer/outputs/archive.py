"""Copies every picture that went on air into a folder of the streamer's choice, one folder a day."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from streamer.types import Event, Forgotten, Frame

log = logging.getLogger(__name__)

SUFFIXES = {"image/jpeg": "jpg", "image/webp": "webp", "image/png": "png"}


class Options(BaseModel):
    """Where the copies go."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    folder: Path = Field(description="a folder; ~ is the home folder; made when missing")


class Archive:
    """Write each frame to ``folder/2026-01-31/20.15.07 background 1a2b3c.jpg``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser()

    async def publish(self, event: Event) -> None:
        """Copy a frame; a full or missing disk is logged and does not stop the show."""
        if isinstance(event, Forgotten):
            await asyncio.to_thread(_forget, self._folder, event.request_ids)
        if not isinstance(event, Frame):
            return
        path = self._folder / time.strftime("%Y-%m-%d") / name_of(event, time.strftime("%H.%M.%S"))
        try:
            await asyncio.to_thread(_write, path, event.data)
        except OSError as error:
            log.warning("the picture was not archived: %s", error)


def name_of(frame: Frame, clock: str) -> str:
    """Name a picture so that a folder sorts by time and no platform's message id can leave the folder."""
    layer = re.sub(r"[^A-Za-z0-9_-]", "_", frame.layer)
    return f"{clock} {layer} {_ending(frame.request_id)}.{SUFFIXES[frame.media_type]}"


def _ending(request_id: str) -> str:
    # A digest fits any id into a file name, and finds all copies of a request that is to be forgotten.
    return blake2b(request_id.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


def _forget(folder: Path, request_ids: Sequence[str]) -> None:
    endings = {_ending(one) for one in request_ids}
    for path in folder.glob("*/*"):
        if path.stem.rpartition(" ")[2] in endings:
            path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def create(options: Options) -> Archive:
    """Build the output."""
    return Archive(options.folder)
