"""Copies every picture that goes on air into a folder of the streamer's choice, one folder a day."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import StoreError
from streamer.interfaces import Health
from streamer.outputs._picture_folder import PictureFolder, picture_name
from streamer.storage.pseudonyms import Pseudonyms
from streamer.storage.store import Store
from streamer.types import Event, Forgotten, Frame

log = logging.getLogger(__name__)


class Options(BaseModel):
    """Where the copies go."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    folder: Path = Field(description="where the copies go; ~ is your home folder")


class Archive:
    """Write each frame to ``folder/2026-01-31/20.15.07 background 1a2b3c.jpg``, with its owner's tag inside."""

    def __init__(self, pictures: PictureFolder, store: Store) -> None:
        self._pictures, self._store = pictures, store

    def health(self) -> Health:
        """Return whether the last copy was written."""
        return self._pictures.health("archive")

    async def publish(self, event: Event) -> None:
        """Copy a frame; a full or missing disk is logged and does not stop the show."""
        try:
            if isinstance(event, Forgotten):
                await asyncio.to_thread(self._pictures.remove, event.actor_id, event.request_ids)
            elif isinstance(event, Frame):
                await self._copy(event)
        except (OSError, StoreError) as error:
            log.warning("the picture was not archived: %s", error)

    async def _copy(self, frame: Frame) -> None:
        path = self._pictures.folder / time.strftime("%Y-%m-%d") / picture_name(frame, time.strftime("%H.%M.%S"))
        row = await self._store.requests.get(frame.request_id)
        # No row: its owner was forgotten a moment ago.
        if row is not None:
            await asyncio.to_thread(self._pictures.save, path, frame, row.actor_id)


def create(options: Options, store: Store, pseudonyms: Pseudonyms) -> Archive:
    """Build the output."""
    return Archive(PictureFolder(options.folder, pseudonyms), store)
