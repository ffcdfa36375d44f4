"""Picture files for an OBS without a browser: a new name for every picture, complete before OBS hears of it."""

from __future__ import annotations

import io
import itertools
import logging
import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from PIL import Image

from streamer.types import Frame

log = logging.getLogger(__name__)

KEPT = 3
"""Newest files of a layer that stay: OBS may still be reading the one before."""
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}


class PictureFiles:
    """A folder for each layer, with numbered files in it."""

    def __init__(self, folder: Path, layers: Iterable[str]) -> None:
        self._folder, self.layers = folder, tuple(layers)
        # Numbers that go on over a restart: OBS takes no notice of the same name with other bytes.
        self._numbers = itertools.count(int(time.time() * 1000))
        self._now: dict[str, Path] = {}

    def prepare(self) -> None:
        """Find what every layer shows, from before if need be, or make an empty picture."""
        for layer in self.layers:
            if layer not in self._now:
                there = sorted(self._folder_of(layer).glob("[0-9]*"), key=_number)
                self._now[layer] = there[-1] if there else self.put(layer, None)

    def current(self) -> dict[str, Path]:
        """Say which file each layer shows."""
        return dict(self._now)

    def put(self, layer: str, frame: Frame | None) -> Path:
        """Write a picture, or an empty one, and return its path; the oldest files of the layer go."""
        suffix, data = _readable(frame)
        folder = self._folder_of(layer)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{next(self._numbers)}{suffix}"
        draft = path.with_name(f".{path.name}")
        draft.write_bytes(data)
        # OBS 29 shows black when it reads a file that is still being written.
        os.replace(draft, path)
        self._now[layer] = path
        for old in sorted(folder.glob("[0-9]*"), key=_number)[:-KEPT]:
            old.unlink(missing_ok=True)
        return path

    def renew(self, shown: Mapping[str, Frame]) -> dict[str, Path]:
        """Write what each layer shows under a new name and delete every earlier file; nothing where there was none."""
        earlier = list(self._folder.glob("*/*"))
        paths = {layer: self.put(layer, shown.get(layer)) for layer in self.layers} if earlier else {}
        for old in set(earlier) - set(paths.values()):
            try:
                old.unlink(missing_ok=True)
            except OSError as error:
                log.warning("OBS: an earlier picture is still there: %s", error)
        return paths

    def _folder_of(self, layer: str) -> Path:
        return self._folder / re.sub(r"[^A-Za-z0-9_-]", "_", layer)


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdigit() else 0


def _readable(frame: Frame | None) -> tuple[str, bytes]:
    """Give a file ending and bytes that every OBS reads; WebP is not among them."""
    if frame is not None and frame.media_type in _SUFFIXES:
        return _SUFFIXES[frame.media_type], frame.data
    picture = Image.new("RGBA", (16, 16)) if frame is None else Image.open(io.BytesIO(frame.data))
    encoded = io.BytesIO()
    picture.save(encoded, "PNG", compress_level=1)
    return ".png", encoded.getvalue()
