"""Bots that answer in many channels: listened to, or answered, they and we could go on for ever."""

from __future__ import annotations

KNOWN_BOTS = (
    "nightbot",
    "streamelements",
    "streamlabs",
    "moobot",
    "fossabot",
    "wizebot",
    "sery_bot",
    "soundalerts",
)
