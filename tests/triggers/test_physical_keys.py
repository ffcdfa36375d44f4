"""Which key was pressed, by what each platform tells of it."""

from types import SimpleNamespace
from typing import Any

import pytest

from streamer.triggers._physical_keys import PhysicalKey, key_of, names_of_keysyms, with_keycodes

CYRILLIC_Q, CYRILLIC_Q_CAPITAL = 0x6CA, 0x6EA


def keysyms(text: str) -> list[int]:
    return [ord(char) if ord(char) < 0x100 else 0x1000000 | ord(char) for char in text]


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_named_keys_and_modifiers_have_their_name_left_or_right(platform: str) -> None:
    assert key_of(SimpleNamespace(name="f9"), platform) == PhysicalKey("f9", ("f9",))
    assert key_of(SimpleNamespace(name="ctrl_r"), platform) == PhysicalKey("ctrl", ("ctrl",))


@pytest.mark.parametrize(
    ("types", "keycode", "names"),
    [
        (keysyms("qQ"), 24, ("q", "q")),
        (keysyms("1!"), 10, ("1", "!")),
        (keysyms("&1"), 10, ("&", "1")),  # French: digits need Shift
        (keysyms("aA"), 24, ("a", "a")),
        (keysyms("qQйЙ"), 24, ("q", "q")),
        (keysyms("йЙqQ"), 24, ("q", "q")),
        (keysyms("йЙ"), 24, ("й", "й", "q")),
        ([CYRILLIC_Q, CYRILLIC_Q_CAPITAL], 24, ("q",)),
        (keysyms("öÖ"), 47, ("ö", "ö", ";")),
        (keysyms("aAqQ"), 24, ("a", "a")),  # the first layout with Latin letters
        ([0, 0, 0, 0], 200, ("",)),
    ],
)
def test_under_x11_a_key_is_called_by_what_it_types_in_latin(
    types: list[int], keycode: int, names: tuple[str, ...]
) -> None:
    assert names_of_keysyms(types, keycode) == names


@pytest.mark.parametrize(
    ("platform", "key", "wanted"),
    [
        ("win32", SimpleNamespace(char="й", vk=0x51), PhysicalKey("<81>", ("q", "й"))),
        ("win32", SimpleNamespace(char="!", vk=0x31), PhysicalKey("<49>", ("1", "!"))),
        ("win32", SimpleNamespace(char="&", vk=0x31), PhysicalKey("<49>", ("1", "&"))),
        ("win32", SimpleNamespace(char=None, vk=0x63), PhysicalKey("<99>", ("3",))),
        ("win32", SimpleNamespace(char="ö", vk=0xC0), PhysicalKey("<192>", ("`", "ö"))),
        ("darwin", SimpleNamespace(char="й", vk=12), PhysicalKey("<12>", ("q", "й"))),
        ("darwin", SimpleNamespace(char="œ", vk=12), PhysicalKey("<12>", ("q", "œ"))),  # Option+Q
        ("darwin", SimpleNamespace(char="Z", vk=16), PhysicalKey("<16>", ("z", "y"))),  # a German keyboard
        ("darwin", SimpleNamespace(char="!", vk=18), PhysicalKey("<18>", ("1", "!"))),
        ("darwin", SimpleNamespace(char="a", vk=0), PhysicalKey("<0>", ("a",))),
        ("linux", SimpleNamespace(char="1", vk=None), PhysicalKey("1", ("1",))),
        ("linux", SimpleNamespace(char="!", vk=33, keycode=10, keysyms=keysyms("1!")), PhysicalKey("<10>", ("1", "!"))),
        ("linux", None, PhysicalKey("", ())),
    ],
)
def test_a_key_is_the_same_whatever_it_types(platform: str, key: Any, wanted: PhysicalKey) -> None:
    assert key_of(key, platform) == wanted


def test_another_platforms_listener_is_used_as_it_is() -> None:
    assert with_keycodes(SimpleNamespace) is SimpleNamespace
