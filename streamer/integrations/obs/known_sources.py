"""Remembers our sources in each scene collection of OBS: their ids stay the same when the streamer renames them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streamer.integrations.obs.desired_sources import KnownSource

log = logging.getLogger(__name__)


class KnownSources:
    """A small JSON file; losing it is harmless, since we also recognize sources by what they show and by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._collections = _read(path)

    def known(self, collection: str) -> Mapping[str, KnownSource]:
        """Return our sources in a scene collection, by key."""
        return self._collections.get(collection, {})

    def remember(self, collection: str, sources: Mapping[str, KnownSource]) -> None:
        """Remember our sources in a scene collection; writes the file only when something changed."""
        if self._collections.get(collection) == sources:
            return
        self._collections[collection] = dict(sources)
        plain = {
            name: {key: asdict(source) for key, source in known.items()} for name, known in self._collections.items()
        }
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._path.with_suffix(".new")
            draft.write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            log.warning("the list of the program's OBS sources could not be saved: %s", error)


def _read(path: Path) -> dict[str, dict[str, KnownSource]]:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return {name: {key: _known_source(row) for key, row in rows.items()} for name, rows in plain.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        log.warning("%s cannot be read (%s); sources in OBS are found by their names", path, error)
        return {}


def _known_source(row: Mapping[str, Any]) -> KnownSource:
    width, height = row["canvas"]
    return KnownSource(str(row["name"]), str(row["uuid"]), (int(width), int(height)))
