"""How long a picture of each model took on this machine, as ``streamer bench`` measured it last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from streamer.generator import measured_file

FILE = "measured_times.json"

Times = Mapping[str, Mapping[str, float]]
"""Seconds from prompt to JPEG at a model's native size: by the device's name, then by the model's."""
_TIMES: TypeAdapter[Times] = TypeAdapter(dict[str, dict[str, float]])


def remembered(home: Path) -> Times:
    """Read the times of this machine; a damaged file counts as none."""
    return measured_file.read(home / FILE, _TIMES) or {}


def remember(home: Path, device: str, model: str, seconds: float) -> None:
    """Keep the newest time of a model on a device."""
    known = remembered(home)
    known = {**known, device: {**known.get(device, {}), model: round(seconds, 4)}}
    measured_file.write(home / FILE, _TIMES, known)
