"""The page on disk waits for the server and goes to the overlay, in every engine that OBS has."""

from __future__ import annotations

from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
