"""How long a picture of each model took on this machine, as ``streamer bench`` measured it last."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

log = logging.getLogger(__name__)

FILE = "measured_times.json"

Times = Mapping[str, Mapping[str, float]]
"""Seconds from prompt to JPEG at a model's native size: by the device's name, then by the model's."""


def remembered(home: Path) -> Times:
    """Read the times of this machine; a damaged file counts as none."""
    with suppress(OSError, ValidationError):
        return TypeAdapter(dict[str, dict[str, float]]).validate_json((home / FILE).read_bytes())
    return {}


def remember(home: Path, device: str, model: str, seconds: float) -> None:
    """Keep the newest time of a model on a device."""
    known = remembered(home)
    known = {**known, device: {**known.get(device, {}), model: round(seconds, 4)}}
    try:
        (home / FILE).write_text(json.dumps(known, indent=1), encoding="utf-8")
    except OSError as error:
        log.warning("what was measured cannot be remembered: %s", error)
