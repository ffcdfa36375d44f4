"""Checks the tables of keys and pads in config.yaml, each with the named trigger or the line that it types."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from streamer.errors import ConfigError


def check_keys(keys: Mapping[str, str], parse: Callable[[str], Hashable], noun: str) -> Mapping[str, str]:
    """Return the table unchanged; ConfigError when two entries parse as the same key or one types nothing.

    ``parse`` raises ConfigError for a malformed key; ``noun`` is what the error calls two equal ones.
    """
    seen: dict[Hashable, str] = {}
    for key, command in keys.items():
        if (same := seen.setdefault(parse(key), key)) != key:
            raise ConfigError("keys", f"'{key}' and '{same}' are the same {noun}", fix="remove one of them")
        if not command.strip():
            fix = 'write a named trigger, or a line like "!bg stormy harbour"'
            raise ConfigError("keys", f"'{key}' does nothing", fix=fix)
    return keys
