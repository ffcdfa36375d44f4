"""Copies every picture that went on air into a folder of the streamer's choice, one folder a day."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import StoreError
from streamer.outputs._picture_folder import PictureFolder, name_of
from streamer.storage.pseudonyms import Pseudonyms
from streamer.types import Event, Forgotten, Frame

log = logging.getLogger(__name__)


class Options(BaseModel):
    """Where the copies go."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    folder: Path = Field(description="a folder; ~ is the home folder; made when missing")


class Asked(Protocol):
    """A request that is written down; ``actor_id`` is an id, or the keyed hash that stands for it after a while."""

    @property
    def actor_id(self) -> str: ...


class Requests(Protocol):
    """Whoever keeps the requests."""

    def request(self, request_id: str) -> Awaitable[Asked | None]: ...


class Archive:
    """Write each frame to ``folder/2026-01-31/20.15.07 background 1a2b3c.jpg``, with a mark of whose it is inside."""

    def __init__(self, album: PictureFolder, store: Requests) -> None:
        self._album, self._store = album, store

    async def publish(self, event: Event) -> None:
        """Copy a frame; a full or missing disk is logged and does not stop the show."""
        try:
            if isinstance(event, Forgotten):
                await asyncio.to_thread(self._album.remove, event.actor_id, event.request_ids)
            elif isinstance(event, Frame):
                await self._copy(event)
        except (OSError, StoreError) as error:
            log.warning("the picture was not archived: %s", error)

    async def _copy(self, frame: Frame) -> None:
        path = self._album.folder / time.strftime("%Y-%m-%d") / name_of(frame, time.strftime("%H.%M.%S"))
        row = await self._store.request(frame.request_id)
        # A row that is gone is that of somebody who was forgotten a moment ago.
        if row is not None:
            await asyncio.to_thread(self._album.save, path, frame, row.actor_id)


def create(options: Options, store: Requests, marks: Pseudonyms) -> Archive:
    """Build the output."""
    return Archive(PictureFolder(options.folder, marks), store)
