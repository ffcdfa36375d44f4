"""Writes picture files for an OBS without a browser source: new names, and complete before OBS sees them."""

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

FILES_KEPT = 3
"""The newest files of a layer stay: OBS may still be reading the one before."""
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}


class PictureFiles:
    """A folder for each layer, with numbered files in it."""

    def __init__(self, folder: Path, layers: Iterable[str]) -> None:
        self._folder, self.layers = folder, tuple(layers)
        # Numbers continue after a restart: OBS ignores new bytes under the same name.
        self._numbers = itertools.count(int(time.time() * 1000))
        self._current: dict[str, Path] = {}

    def prepare(self) -> None:
        """Find the current file of each layer, possibly from an earlier run, or write an empty picture."""
        for layer in self.layers:
            if layer not in self._current:
                earlier = sorted(self._folder_of(layer).glob("[0-9]*"), key=_number)
                self._current[layer] = earlier[-1] if earlier else self.write(layer, None)

    def current(self) -> dict[str, Path]:
        """Return the current file of each layer."""
        return dict(self._current)

    def write(self, layer: str, frame: Frame | None) -> Path:
        """Write a picture, or an empty one, and return its path; the oldest files of the layer are deleted."""
        suffix, data = _readable_by_obs(frame)
        folder = self._folder_of(layer)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{next(self._numbers)}{suffix}"
        draft = path.with_name(f".{path.name}")
        draft.write_bytes(data)
        # OBS 29 shows black when it reads a file that is still being written.
        os.replace(draft, path)
        self._current[layer] = path
        for old in sorted(folder.glob("[0-9]*"), key=_number)[:-FILES_KEPT]:
            old.unlink(missing_ok=True)
        return path

    def replace_all(self, shown: Mapping[str, Frame]) -> dict[str, Path]:
        """Write what each layer shows under a new name and delete all earlier files; does nothing without files."""
        earlier = list(self._folder.glob("*/*"))
        paths = {layer: self.write(layer, shown.get(layer)) for layer in self.layers} if earlier else {}
        for old in set(earlier) - set(paths.values()):
            try:
                old.unlink(missing_ok=True)
            except OSError as error:
                log.warning("OBS: an earlier picture could not be deleted: %s", error)
        return paths

    def _folder_of(self, layer: str) -> Path:
        return self._folder / re.sub(r"[^A-Za-z0-9_-]", "_", layer)


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdigit() else 0


def _readable_by_obs(frame: Frame | None) -> tuple[str, bytes]:
    """Return a file ending and bytes that every OBS reads: some versions cannot read WebP."""
    if frame is not None and frame.media_type in _SUFFIXES:
        return _SUFFIXES[frame.media_type], frame.data
    picture = Image.new("RGBA", (16, 16)) if frame is None else Image.open(io.BytesIO(frame.data))
    encoded = io.BytesIO()
    picture.save(encoded, "PNG", compress_level=1)
    return ".png", encoded.getvalue()
