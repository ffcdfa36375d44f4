"""Which messages press something, and a pad that is played over a real connection, unplugged and plugged in again."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from streamer import installation
from streamer.errors import ConfigError
from streamer.triggers import midi
from streamer.triggers.midi import Midi, Options, Pad, PadDetector, PadKind, create, parse_pad, pick_port
from streamer.types import KeyPress

KEYS = {"note 36": "places", "note 36 channel 10": "drums", "control 64": "panic", "program 3": "!bg three"}


def message(kind: str, channel: int = 0, **more: int) -> Any:
    return SimpleNamespace(type=kind, channel=channel, **more)


@pytest.mark.parametrize(
    ("key", "pad"),
    [
        ("note 36", Pad(PadKind.NOTE, 36, None)),
        ("Note  36 Channel 10", Pad(PadKind.NOTE, 36, 10)),
        ("control 0", Pad(PadKind.CONTROL, 0, None)),
        ("program 127 channel 1", Pad(PadKind.PROGRAM, 127, 1)),
    ],
)
def test_a_pad_is_a_kind_a_number_and_perhaps_a_channel(key: str, pad: Pad) -> None:
    assert parse_pad(key) == pad


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"c3": "panic"}, "'c3' is not a pad; write note 36"),
        ({"note 128": "panic"}, "out of range"),
        ({"note 1 channel 0": "panic"}, "out of range"),
        ({"note 1 channel 17": "panic"}, "out of range"),
        ({"note 1": "panic", "NOTE 1": "undo"}, "are the same pad"),
        ({"note 1": " "}, "does nothing"),
    ],
)
def test_pads_that_cannot_work_are_refused_with_the_fix(keys: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Options(keys=keys)


@pytest.mark.parametrize("wrong", [{}, {"keys": {}, "port": ""}, {"keys": {}, "speed": 1}])
def test_options_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_a_note_presses_when_it_begins_and_its_own_channel_comes_first() -> None:
    pads = PadDetector(KEYS)
    messages = [
        message("note_on", note=36, velocity=90),
        message("note_off", note=36, velocity=0),
        message("note_on", note=36, velocity=0),
        message("note_on", channel=9, note=36, velocity=1),
        message("note_on", note=37, velocity=90),
        message("program_change", program=3),
        SimpleNamespace(type="clock"),
    ]
    assert [pads.press(played) for played in messages] == ["places", None, None, "drums", None, "!bg three", None]


def test_a_control_presses_once_on_its_way_up() -> None:
    pads = PadDetector(KEYS)
    values = [0, 63, 64, 127, 100, 20, 127]
    pressed = [pads.press(message("control_change", control=64, value=value)) for value in values]
    assert pressed == [None, None, "panic", None, None, None, "panic"]


@pytest.mark.parametrize(
    ("ports", "wanted", "port"),
    [
        ([], None, None),
        (["Midi Through:0", "Launchpad Mini"], None, "Launchpad Mini"),
        (["A", "Akai LPD8"], "lpd8", "Akai LPD8"),
        (["A"], "lpd8", None),
    ],
)
def test_the_pad_is_found_by_a_part_of_its_name(ports: list[str], wanted: str | None, port: str | None) -> None:
    assert pick_port(ports, wanted) == port


async def test_without_mido_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mido", None)
    source = create(Options(keys=KEYS))
    assert [press async for press in source.listen()] == []
    assert (source.health().state, installation.add_extra("midi") in source.health().detail) == ("failed", True)


class Player:
    """Somebody who plays a pad, over TCP."""

    def __init__(self) -> None:
        from tests.support import midi_sockets

        self._listening = socket.create_server(("127.0.0.1", 0))
        self._address = ("127.0.0.1", self._listening.getsockname()[1])
        self._ports = midi_sockets.PLAYERS
        self._connection: socket.socket | None = None

    async def plug_in(self, source: Midi) -> None:
        self._ports.append(self._address)
        self._connection, _ = await asyncio.to_thread(self._listening.accept)
        async with asyncio.timeout(20):
            while source.health().state != "ready":
                await asyncio.sleep(0.01)

    def unplug(self) -> None:
        if self._address in self._ports:
            self._ports.remove(self._address)
        if self._connection is not None:
            self._connection.close()

    def play(self, *messages: Any) -> None:
        assert self._connection is not None
        self._connection.sendall(b"".join(bytes(message.bytes()) for message in messages))

    def leave(self) -> None:
        self.unplug()
        self._listening.close()


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch) -> Iterator[Player]:
    if find_spec("mido") is None:
        pytest.skip('mido is not installed: pip install "streamer-live[midi]"')
    monkeypatch.setenv("MIDO_BACKEND", "tests.support.midi_sockets")
    monkeypatch.setattr(midi, "RETRY_S", 0.05)
    playing = Player()
    yield playing
    playing.leave()
    for thread in threading.enumerate():
        if thread.name == "midi":
            thread.join(20)


async def next_name(presses: AsyncIterator[KeyPress]) -> str:
    async with asyncio.timeout(20):
        return (await anext(presses)).name


async def test_a_pad_is_played_unplugged_and_played_again(player: Player) -> None:
    from mido import Message

    source = Midi(Options(keys=KEYS, port="test PAD"))
    presses = source.listen()
    first = asyncio.ensure_future(next_name(presses))
    await asyncio.sleep(0.2)
    assert (source.health().state, "no pad is plugged in" in source.health().detail) == ("connecting", True)
    await player.plug_in(source)
    player.play(Message("note_on", note=36, velocity=100), Message("note_off", note=36))
    assert await first == "places"
    player.play(Message("control_change", control=64, value=127), Message("program_change", program=3))
    assert [await next_name(presses) for _ in range(2)] == ["panic", "!bg three"]
    player.unplug()
    async with asyncio.timeout(20):
        while source.health().state == "ready":
            await asyncio.sleep(0.01)
    await player.plug_in(source)
    player.play(Message("note_on", channel=9, note=36, velocity=1))
    assert await next_name(presses) == "drums"
    await presses.aclose()  # type: ignore[attr-defined]


async def test_where_the_system_has_no_midi_it_is_said_and_tried_again(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support import midi_sockets

    def missing(**_: object) -> list[dict[str, Any]]:
        raise OSError("no sequencer")

    monkeypatch.setattr(midi_sockets, "get_devices", missing)
    source = Midi(Options(keys=KEYS))
    presses = source.listen()
    first = asyncio.ensure_future(next_name(presses))
    async with asyncio.timeout(20):
        while source.health().state != "failed":
            await asyncio.sleep(0.01)
    assert "no sequencer" in source.health().detail
    monkeypatch.undo()
    monkeypatch.setenv("MIDO_BACKEND", "tests.support.midi_sockets")
    await player.plug_in(source)
    first.cancel()
    await asyncio.wait([first])
