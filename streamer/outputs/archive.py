"""Copies every picture that went on air into a folder of the streamer's choice, one folder a day."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from streamer.types import Event, Frame

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
        if not isinstance(event, Frame):
            return
        path = self._folder / time.strftime("%Y-%m-%d") / name_of(event, time.strftime("%H.%M.%S"))
        try:
            await asyncio.to_thread(_write, path, event.data)
        except OSError as error:
            log.warning("the picture was not archived: %s", error)


def name_of(frame: Frame, clock: str) -> str:
    """Name a picture so that a folder sorts by time and no platform's message id can leave the folder."""
    ending = re.sub(r"[^A-Za-z0-9]", "", frame.request_id)[-8:] or "picture"
    return f"{clock} {re.sub(r'[^A-Za-z0-9_-]', '_', frame.layer)} {ending}.{SUFFIXES[frame.media_type]}"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def create(options: Options) -> Archive:
    """Build the output."""
    return Archive(options.folder)
