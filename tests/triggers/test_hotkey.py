"""Which presses fire, what is said where keys cannot be watched, and real keys on a real X server."""

import asyncio
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from streamer import installation
from streamer.errors import ConfigError
from streamer.interfaces import Health, HealthState
from streamer.triggers.hotkey import Chord, ChordDetector, Hotkeys, Options, create, expected_health, parse_chord
from streamer.types import KeyPress
from tests.support.display import need_keys, need_layouts, set_layout, virtual_display
from tests.support.display import press as press_keys

OPTIONS = Options(keys={"<ctrl>+<alt>+1": "!bg harbour", "<f9>": "!panic", "<ctrl>+m": "!meme cat"})
READY = Health("hotkey", HealthState.READY)


def detector() -> ChordDetector:
    return ChordDetector(OPTIONS)


@pytest.mark.parametrize(
    ("keys", "chord"),
    [
        ("<ctrl>+<alt>+1", Chord(frozenset({"ctrl", "alt"}), "1")),
        ("Alt + Control + M", Chord(frozenset({"ctrl", "alt"}), "m")),
        ("<win>+<space>", Chord(frozenset({"cmd"}), "space")),
        ("F9", Chord(frozenset(), "f9")),
        ("<shift>+ф", Chord(frozenset({"shift"}), "ф")),
    ],
)
def test_a_chord_is_one_key_and_its_modifiers(keys: str, chord: Chord) -> None:
    assert parse_chord(keys) == chord


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"": "!a"}, "there is no key ''"),
        ({"<ctrl>+<hyper>+1": "!a"}, r"there is no key 'hyper'; use one of alt, "),
        ({"<ctrl>+<alt>": "!a"}, "exactly one key"),
        ({"<ctrl>+1+2": "!a"}, "exactly one key"),
        ({"<ctrl>+<ctrl>+1": "!a"}, "exactly one key"),
        ({"a": "!a"}, r"'a' would fire whenever you type; it needs a modifier; write <ctrl>\+<alt>\+a"),
        ({"<enter>": "!a"}, "would fire whenever you type"),
        ({"<ctrl>+<alt>+1": "!a", "alt+control+1": "!b"}, "are the same keys; remove one of them"),
        ({"<f9>": " "}, "does nothing"),
    ],
)
def test_keys_that_cannot_work_are_refused_with_the_fix(keys: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Options(keys=keys)


@pytest.mark.parametrize("wrong", [{}, {"keys": {}, "debounce_s": 0}, {"keys": {}, "speed": 1}])
def test_options_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_a_chord_fires_when_its_key_goes_down_in_any_order_of_modifiers() -> None:
    keys = detector()
    assert [keys.press(key, 0.0) for key in ("alt", "ctrl", "1")] == [None, None, "!bg harbour"]


def test_other_modifiers_or_none_do_not_fire() -> None:
    keys = detector()
    assert [keys.press(key, 0.0) for key in ("ctrl", "1", "shift", "m", "alt")] == [None] * 5


def test_a_key_that_is_held_fires_once() -> None:
    keys = detector()
    fired = [keys.press("f9", 0.5 + repeat / 30) for repeat in range(300)]
    assert fired == ["!panic"] + [None] * 299


def test_the_release_and_press_pairs_of_a_repeating_x_server_fire_once() -> None:
    keys = detector()
    fired = [keys.press("f9", 0.0)]
    for repeat in range(300):
        keys.release("f9", 0.6 + repeat / 30)
        fired.append(keys.press("f9", 0.601 + repeat / 30))
    assert fired == ["!panic"] + [None] * 300


def test_pressing_again_fires_again() -> None:
    keys = detector()
    fired = []
    for time in range(3):
        fired.append(keys.press("f9", time * 0.3))
        keys.release("f9", time * 0.3 + 0.1)
    assert fired == ["!panic"] * 3


def test_a_release_that_was_never_seen_does_not_block_a_key_for_ever() -> None:
    keys = detector()
    assert [keys.press("ctrl", 0.0), keys.press("f9", 1.0)] == [None, None]
    assert [keys.press("f9", 5.0), keys.press("f9", 30.0)] == [None, "!panic"]


def test_a_held_modifier_serves_several_keys() -> None:
    keys = detector()
    keys.press("ctrl", 0.0)
    assert keys.press("m", 15.0) == "!meme cat"


@pytest.mark.parametrize(
    ("platform", "environ", "state", "detail"),
    [
        ("win32", {}, "ready", ""),
        ("darwin", {}, "ready", "Input Monitoring"),
        ("linux", {"DISPLAY": ":0"}, "ready", ""),
        ("linux", {}, "failed", "there is no display"),
        (
            "linux",
            {"XDG_SESSION_TYPE": "wayland"},
            "failed",
            "Wayland does not let a program .*curl -X POST .*/trigger/NAME",
        ),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "limited", "only while an X11 window has focus"),
    ],
)
def test_what_a_platform_forbids_is_said_beforehand(
    platform: str, environ: dict[str, str], state: str, detail: str
) -> None:
    health = expected_health(platform, environ)
    assert health.state == state
    assert re.search(detail, health.detail)


def test_a_key_of_several_names_fires_by_the_likeliest_that_is_bound() -> None:
    keys = ChordDetector(Options(keys={"<f1>+<ctrl>": "f1", "<ctrl>+<shift>+1": "one", "<ctrl>+!": "bang"}))
    keys.press("ctrl", 0.0)
    assert keys.press("<10>", 0.0, ("1", "!")) == "bang"
    keys.release("<10>", 0.1)
    keys.press("shift", 1.0)
    assert keys.press("<10>", 1.0, ("1", "!")) == "one"


async def test_where_keys_cannot_be_watched_the_source_ends_and_says_why() -> None:
    source = Hotkeys(detector(), expected_health("linux", {}))
    assert source.health().state == "connecting"
    assert [trigger async for trigger in source.listen()] == []
    assert (source.health().state, "/trigger/NAME" in source.health().detail) == ("failed", True)


class FakeListener(threading.Thread):
    """Stands where pynput's Listener does: a thread that reports keys until it is told to end, or fails."""

    fails = False
    latest: "FakeListener"

    def __init__(self, on_press: Callable[[Any], bool], on_release: Callable[[Any], bool]) -> None:
        super().__init__(daemon=True)
        self.on_press, self.on_release = on_press, on_release
        self.key_pressed = threading.Event()
        FakeListener.latest = self

    def run(self) -> None:
        keys = (SimpleNamespace(name="ctrl_l"), SimpleNamespace(name="alt_r"), SimpleNamespace(char="1", vk=49))
        goes_on = [*map(self.on_press, keys), self.on_release(SimpleNamespace(char=None, vk=50))]
        while all(goes_on) and not self.fails and self.key_pressed.wait(20):
            goes_on.append(self.on_press(SimpleNamespace(char="x")))


@pytest.fixture
def pynput(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeListener]]:
    package, module = ModuleType("pynput"), ModuleType("pynput.keyboard")
    vars(module)["Listener"] = FakeListener
    monkeypatch.setitem(sys.modules, "pynput", package)
    monkeypatch.setitem(sys.modules, "pynput.keyboard", module)
    monkeypatch.setattr(FakeListener, "fails", False)
    yield FakeListener
    FakeListener.latest.key_pressed.set()
    FakeListener.latest.join(20)


async def test_a_chord_is_a_press_of_what_it_stands_for(pynput: type[FakeListener]) -> None:
    source = Hotkeys(detector(), READY)
    presses = source.listen()
    press = await anext(presses)
    assert isinstance(press, KeyPress)
    assert (press.source, press.name) == ("hotkey", "!bg harbour")
    assert source.health() == READY
    assert "hotkey" in [thread.name for thread in threading.enumerate()]
    await presses.aclose()  # type: ignore[attr-defined]


async def test_once_nobody_listens_the_watching_ends_with_the_next_key(pynput: type[FakeListener]) -> None:
    presses = Hotkeys(detector(), READY).listen()
    await anext(presses)
    await presses.aclose()  # type: ignore[attr-defined]
    pynput.latest.key_pressed.set()
    pynput.latest.join(20)
    assert not pynput.latest.is_alive()


async def test_when_the_keyboard_goes_away_the_source_ends_and_says_so(
    pynput: type[FakeListener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeListener, "fails", True)
    source = Hotkeys(detector(), READY)
    assert len([trigger async for trigger in source.listen()]) == 1
    assert source.health().state == "failed"
    assert "can no longer be watched" in source.health().detail


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (ModuleNotFoundError("No module named 'pynput'", name="pynput"), installation.add_extra("hotkey")),
        (ImportError("failed to acquire X connection"), "failed to acquire X connection"),
    ],
)
async def test_without_pynput_or_a_display_the_fix_is_named(
    monkeypatch: pytest.MonkeyPatch, error: ImportError, detail: str
) -> None:
    def missing(name: str) -> ModuleType:
        raise error

    monkeypatch.setattr("streamer.triggers.hotkey.importlib.import_module", missing)
    source = Hotkeys(detector(), READY)
    assert [trigger async for trigger in source.listen()] == []
    assert source.health().state == "failed"
    assert detail in source.health().detail


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    need_keys()
    with virtual_display() as name:
        monkeypatch.setenv("DISPLAY", name)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setenv("XDG_SESSION_TYPE", "x11")
        yield name
        # The next key ends the watching, which must let go of the display before the display goes.
        for thread in threading.enumerate():
            while thread.name == "hotkey" and thread.is_alive():
                subprocess.run(["xdotool", "key", "x"], check=True)
                thread.join(0.2)


async def test_real_keys_on_a_real_x_server_fire_once_each(display: str) -> None:
    presses = create(OPTIONS).listen()
    first = asyncio.ensure_future(anext(presses))
    async with asyncio.timeout(60):
        while not first.done():  # until the X server has begun to report keys
            await press_keys("key", "F9", "sleep", "0.3")
        # Held for longer than the X server waits before it repeats a key.
        await press_keys("keydown", "ctrl", "keydown", "m", "sleep", "1", "keyup", "m", "keyup", "ctrl")
        await press_keys("sleep", "0.3", "key", "ctrl+alt+1")
        typed = [press.name async for press in upto("!bg harbour", presses)]
    await presses.aclose()  # type: ignore[attr-defined]
    assert [text for text in typed if text != "!panic"] == ["!meme cat", "!bg harbour"]


# The numbers of the keys under X11: Q (on a French keyboard A), 1, Tab.
KEY_Q, KEY_1, KEY_TAB = "24", "10", "23"


@pytest.mark.parametrize(
    ("layout", "key"), [("us", "q"), ("ru", "q"), ("de", "q"), ("fr", "a"), ("us,ru", "q"), ("ru,us", "q"), ("gr", "q")]
)
async def test_a_key_fires_whatever_keyboard_layout_is_active(display: str, layout: str, key: str) -> None:
    need_layouts()
    await set_layout(layout)
    names = [f"<ctrl>+<alt>+{key}", "<ctrl>+<shift>+1", "<ctrl>+<alt>+<shift>+1", "<ctrl>+<shift>+<tab>"]
    presses = create(Options(keys={"<f9>": "ready"} | {name: name for name in names})).listen()
    first = asyncio.ensure_future(anext(presses))
    async with asyncio.timeout(60):
        while not first.done():
            await press_keys("key", "F9", "sleep", "0.3")
        await press_keys("key", f"ctrl+alt+{KEY_Q}", "key", f"ctrl+shift+{KEY_1}")
        # The modifiers in this order, in which Alt is pressed while Shift is held.
        await press_keys("sleep", "0.3", "key", f"ctrl+shift+alt+{KEY_1}", "key", f"ctrl+shift+{KEY_TAB}")
        typed = [press.name async for press in upto(names[-1], presses)]
    await presses.aclose()  # type: ignore[attr-defined]
    assert [text for text in typed if text != "ready"] == names


async def test_a_key_goes_on_firing_when_the_layout_changes(display: str) -> None:
    need_layouts()
    presses = create(Options(keys={"<f9>": "ready", "<ctrl>+<alt>+q": "!bg harbour"})).listen()
    first = asyncio.ensure_future(anext(presses))
    async with asyncio.timeout(60):
        while not first.done():
            await press_keys("key", "F9", "sleep", "0.3")
        await set_layout("ru")
        await press_keys("sleep", "0.3", "key", f"ctrl+alt+{KEY_Q}")
        typed = [press.name async for press in upto("!bg harbour", presses)]
    await presses.aclose()  # type: ignore[attr-defined]
    assert typed[-1] == "!bg harbour"


async def upto(text: str, presses: AsyncIterator[object]) -> AsyncIterator[KeyPress]:
    async for press in presses:
        assert isinstance(press, KeyPress)
        yield press
        if press.name == text:
            return
