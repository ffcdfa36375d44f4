"""Remembers which sources in OBS are ours, for every scene collection: their ids survive what a streamer renames."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streamer.integrations.obs.desired_sources import ExistingSources

log = logging.getLogger(__name__)


class KnownSources:
    """A small file; losing it is harmless, since sources are also known by what they show and by their names."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _read(path)

    def known(self, collection: str) -> Mapping[str, ExistingSources]:
        """Return what is ours in a scene collection, by key."""
        return self._known.get(collection, {})

    def keep(self, collection: str, known: Mapping[str, ExistingSources]) -> None:
        """Remember what is ours in a scene collection; written only when something is new."""
        if self._known.get(collection) == known:
            return
        self._known[collection] = dict(known)
        plain = {name: {key: asdict(one) for key, one in them.items()} for name, them in self._known.items()}
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._path.with_suffix(".new")
            draft.write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            log.warning("OBS sources are not remembered: %s", error)


def _read(path: Path) -> dict[str, dict[str, ExistingSources]]:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return {name: {key: _known(one) for key, one in them.items()} for name, them in plain.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        log.warning("%s cannot be read (%s); sources in OBS are found by their names", path, error)
        return {}


def _known(one: Mapping[str, Any]) -> ExistingSources:
    width, height = one["canvas"]
    return ExistingSources(str(one["name"]), str(one["uuid"]), (int(width), int(height)))
