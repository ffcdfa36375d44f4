"""Feeds image sources with picture files, in an OBS that has no browser source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from streamer.integrations.obs.image_files import PictureFiles
from streamer.integrations.obs.session import ObsSession
from streamer.types import Frame


class ImageFeed:
    """Write pictures to files and point the image sources at them; ``shown`` returns the picture on a layer."""

    def __init__(self, session: ObsSession, files: PictureFiles, shown: Callable[[str], Frame | None]) -> None:
        self._session, self._files, self._shown = session, files, shown

    async def show(self, layer: str, frame: Frame | None) -> None:
        """Show a picture, or nothing, on one layer."""
        if self._session.source_name(layer) is not None:
            await self._point(layer, await asyncio.to_thread(self._files.write, layer, frame))

    async def show_all(self) -> None:
        """Show on every layer what is on air."""
        if self._session.fed_by_files and self._session.installed is not None:
            for layer in self._session.installed.layers:
                await self.show(layer, self._shown(layer))

    async def erase_old_files(self) -> None:
        """Keep only files of what is on air: the others may show pictures of a person who is to be forgotten."""
        frames = {layer: self._shown(layer) for layer in self._files.layers}
        on_air = {layer: frame for layer, frame in frames.items() if frame is not None}
        for layer, path in (await asyncio.to_thread(self._files.replace_all, on_air)).items():
            await self._point(layer, path)

    async def _point(self, layer: str, path: Path) -> None:
        name = self._session.source_name(layer)
        if self._session.fed_by_files and name is not None:
            settings = {"inputName": name, "inputSettings": {"file": str(path)}}
            await self._session.client.call("SetInputSettings", settings)
