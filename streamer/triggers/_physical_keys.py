"""Tells which key of the keyboard was pressed, and what it may be called, whatever layout is active.

A key is not a letter: under a Russian layout the key Q types another letter, and with Shift the key 1 types an
exclamation mark. Each platform numbers its keys: X11 by where they are, with a table of what each types; Windows by
the letter on a Latin layout; macOS by where they are on an American keyboard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_LEVELS = 2
"""What a key types alone and with Shift; X11 lists them so for one layout after the other."""
_GROUPS = 4


def _row(first: int, names: str) -> dict[int, str]:
    return dict(enumerate(names, first))


# Where keys are on a keyboard under X11 with evdev, which all of today's have, for layouts without Latin letters.
_X11_KEYS = _row(10, "1234567890-=") | _row(24, "qwertyuiop[]") | _row(38, "asdfghjkl;'`") | _row(51, "\\zxcvbnm,./")
_WINDOWS_KEYS = (
    _row(0x30, "0123456789") | _row(0x41, "abcdefghijklmnopqrstuvwxyz") | _row(0x60, "0123456789")
    | _row(0xBA, ";=,-./`") | _row(0xDB, "[\\]'")
)  # fmt: skip
_MAC_KEYS = _row(0, "asdfhgzxcv") | _row(11, "bqweryt123465=97-80]ou[ip") | _row(37, "lj'k;\\,/nm.") | {50: "`"}


@dataclass(frozen=True, slots=True)
class PhysicalKey:
    """A key: what stands for it, the same with every modifier, and its names in config.yaml, the likeliest first."""

    id: str
    names: tuple[str, ...]


def key_of(key: Any, platform: str) -> PhysicalKey:
    """Return the key behind what pynput reports."""
    if name := getattr(key, "name", None):
        plain = str(name).removesuffix("_l").removesuffix("_r")
        return PhysicalKey(plain, (plain,))
    typed = str(getattr(key, "char", None) or "").lower()
    number = getattr(key, "keycode", None) or getattr(key, "vk", None)
    names = tuple(dict.fromkeys(filter(None, _names(key, typed, number, platform))))
    return PhysicalKey(typed if number is None else f"<{number}>", names)


def _names(key: Any, typed: str, number: int | None, platform: str) -> Sequence[str]:
    if platform == "win32":
        return _WINDOWS_KEYS.get(number or 0, ""), typed
    if platform == "darwin":
        # With Option a key types a sign; without it, what is printed on it wins over where it is.
        is_printed = typed.isascii() and typed.isalnum()
        return (typed if is_printed else "", _MAC_KEYS.get(-1 if number is None else number, ""), typed)
    return *names_of_keysyms(getattr(key, "keysyms", ()), number or 0), typed


def names_of_keysyms(keysyms: Sequence[int], keycode: int) -> tuple[str, ...]:
    """Return the names of a key under X11: what it types in the first layout with Latin letters or digits on it."""
    layouts = [list(_characters(keysyms[start : start + _LEVELS])) for start in range(0, len(keysyms), _LEVELS)]
    latin = next((names for names in layouts if any(name.isascii() and name.isalnum() for name in names)), None)
    if latin is None:
        first = layouts[0] if layouts else []
        return *first, _X11_KEYS.get(keycode, "")
    return tuple(latin)


def _characters(keysyms: Sequence[int]) -> Iterator[str]:
    """Yield the characters of keysyms, which are those of Latin-1, or Unicode's with a bit set."""
    for keysym in keysyms:
        code = keysym & 0xFFFFFF if keysym & 0x1000000 else keysym
        if 0x20 < code < 0x7F or 0xA0 < code < 0x100 or keysym & 0x1000000:
            yield chr(code).lower()


def with_keycodes(listener: Any) -> Any:
    """Return pynput's listener for X11 with the number of each key and what it can type; any other as it is."""
    if not hasattr(listener, "_keycode_to_keysym"):
        return listener

    class KeycodeListener(listener):  # type: ignore[misc]
        """Adds to each key what pynput leaves out."""

        def _event_to_key(self, display: Any, event: Any) -> Any:
            # With Shift the key Tab types another sign, and Alt becomes Meta.
            alone = self._SPECIAL_KEYS.get(display.keycode_to_keysym(event.detail, 0))
            key = alone or super()._event_to_key(display, event)
            if getattr(key, "vk", None) is not None and not hasattr(key, "name"):
                key.keycode = event.detail
                key.keysyms = [display.keycode_to_keysym(event.detail, index) for index in range(_LEVELS * _GROUPS)]
            return key

    return KeycodeListener
