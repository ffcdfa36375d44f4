"""Forgotten means gone: no file of the program, and no copy of an output, holds a byte of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from streamer import cli
from streamer.generator.render.encode import encode
from streamer.interfaces import Output
from streamer.outputs import archive, evening
from streamer.outputs._contact_sheet import read_sheet
from streamer.storage.privacy import FORGETTING, Privacy, PrivacyOptions
from streamer.storage.pseudonyms import Pseudonyms
from streamer.storage.store import Store, StoreOptions
from streamer.types import Notice, NoticeKind, RequestState, Role
from tests.support.examples import REQUEST
from tests.support.files_containing import files_containing
from tests.support.real_program import CONFIG, Remote, client, command, environment, free_port, wait_until_ready
from tests.support.show import Room, opened

NAME, USER, PROMPT = "Zephyrine", "user-90210", "marmalade lighthouse"


async def test_after_forgetme_no_byte_of_the_data_folder_tells_of_the_viewer(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for n in range(30):
            await room.say(f"!bg somebody else {n}", f"other{n}")
            await room.draw_next()
            if n % 10 == 0:
                trigger = room.trigger(f"!bg {PROMPT} {n}", NAME, id_=USER)
                await room.admit.submit(trigger)
                await room.draw_next()
        await room.moderator.ban(NAME, "mod", 0.0001)
        assert files_containing(tmp_path, NAME, USER, PROMPT), "or the search proves nothing"
        await room.admit.submit(room.trigger("!forgetme", NAME, id_=USER))
        assert files_containing(tmp_path, NAME, NAME.lower(), USER, PROMPT) == []
        receipt = await room.admit.submit(room.trigger(f"!bg {PROMPT}", NAME, id_=USER))
        assert receipt.rule == "forgotten"
        await room.order(f"!unban {NAME}", Role.MODERATOR)
        assert (await room.admit.submit(room.trigger("!bg again", NAME, id_=USER))).outcome == "queued"
    assert files_containing(tmp_path, PROMPT) == []


def keepers(folder: Path) -> list[Output]:
    """Build what copies pictures, beside the data folder; the key and the rows are the store's."""
    pseudonyms = Pseudonyms(folder / "home")
    store = Store.at(folder / "home", StoreOptions())
    return [
        evening.create(evening.Options(folder=folder / "evenings"), pseudonyms),
        archive.create(archive.Options(folder=folder / "archive"), store, pseudonyms),
    ]


@asynccontextmanager
async def show(folder: Path) -> AsyncIterator[Room]:
    """Run the pipeline with real pictures and everything that keeps copies of them."""
    outputs = keepers(folder)
    async with opened(folder / "home", outputs=outputs) as room:
        outputs[1]._store = room.store  # type: ignore[attr-defined]
        room.easel.paint = lambda request: encode(noise(request.id), 80)[1]
        yield room


def noise(seed: str) -> np.ndarray:
    return np.random.default_rng(sum(seed.encode())).integers(0, 255, (90, 160, 3), np.uint8)


async def evening_of(room: Room, *people: tuple[str, str]) -> None:
    for number, (name, user) in enumerate(people):
        await room.admit.submit(room.trigger(f"!bg {PROMPT if user == USER else 'pier'} {number}", name, id_=user))
        await room.draw_next()
    room.script.lines.put_nowait(Notice("obs", NoticeKind.OFFLINE, 0.0))
    await room.until(lambda: any(isinstance(event, Notice) for event in room.notes.events))
    await room.show.publisher.notified()


async def test_after_two_evenings_and_a_restart_no_copy_anywhere_tells_of_the_viewer(tmp_path: Path) -> None:
    people = [("Ann", "1"), (NAME, USER), ("Bob", "2"), (NAME, USER)]
    async with show(tmp_path) as room:
        await evening_of(room, *people)
    (first,) = (tmp_path / "evenings").iterdir()
    first.rename(tmp_path / "evenings" / "the first one")
    async with show(tmp_path) as room:
        await evening_of(room, *people[:3])
        kept = [path for path in tmp_path.rglob("*.jpg") if path.parent.parent.name in ("evenings", "archive")]
        assert len(kept) == 2 * 7 + 2
        assert files_containing(tmp_path / "evenings", NAME, PROMPT), "or the search proves nothing"
        await room.moderator.forget(USER)
        assert files_containing(tmp_path, NAME, NAME.lower(), USER, PROMPT) == []
        left = [path for path in tmp_path.rglob("*.jpg") if path.parent.parent.name in ("evenings", "archive")]
        assert len(left) == 2 * 4 + 2
        sheets = [read_sheet(path.read_bytes()) for path in left if "sheet" in path.name]
        assert [[entry.note[-3:] for entry in sheet.entries] for sheet in sheets if sheet] == [["Ann", "Bob"]] * 2


async def test_who_is_forgotten_while_their_picture_is_on_air_again_after_a_restart_is_off_the_air(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as room:
        await room.say("!bg harbour", "zoe")
        await room.draw_next()
    async with opened(tmp_path) as room:
        assert room.on_air() is not None
        await room.moderator.forget("zoe")
        assert room.on_air() is None


async def test_a_program_that_ends_before_the_outputs_have_forgotten_lets_them_after_the_next_start(
    tmp_path: Path,
) -> None:
    async with show(tmp_path) as room:
        await evening_of(room, (NAME, USER), ("Ann", "1"))
    store = Store.at(tmp_path / "home", StoreOptions())
    await store.open()
    privacy = Privacy(store, PrivacyOptions())
    await privacy.restore()
    await privacy.forget(USER)
    await store.close()
    assert files_containing(tmp_path, NAME, PROMPT)
    async with show(tmp_path) as room:
        await room.until(lambda: files_containing(tmp_path, NAME, PROMPT, FORGETTING) == [])


async def test_what_somebody_decided_as_a_moderator_stays_without_their_name(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        await room.admit.submit(room.trigger("!bg harbour", "ann"))
        await room.draw_next()
        await room.admit.submit(room.trigger("!ok", NAME, Role.MODERATOR, id_=USER))
        await room.admit.submit(room.trigger("!ban troll", NAME, Role.MODERATOR, id_=USER))
        assert files_containing(tmp_path, NAME), "or the search proves nothing"
        await room.admit.submit(room.trigger("!forgetme", NAME, Role.MODERATOR, id_=USER))
        assert files_containing(tmp_path, NAME, USER) == []
        assert (await room.admit.submit(room.trigger("!bg pier", "troll"))).rule == "ban"


async def test_the_command_line_exports_and_forgets_beside_no_running_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.at(tmp_path, StoreOptions())
    await store.open()
    await store.requests.accept(REQUEST)
    await store.requests.end(["r1"], RequestState.SHOWN)
    await store.close()
    shipped = Path(__file__).parents[2] / "config.yaml"
    environ = {"STREAMER_HOME": str(tmp_path), "STREAMER_CONFIG": str(shipped), "STREAMER_PORT": str(free_port())}
    output = tmp_path / "audit.jsonl"
    assert await cli.audit(environ, "1h", output) == 0
    (row,) = map(json.loads, output.read_text().splitlines())
    assert (row["what"], row["text"], row["actor_name"]) == ("request", "harbour", "Ann")
    output.unlink()
    assert await cli.forget(environ, REQUEST.actor.id) == 0
    assert "1 request deleted; Ann is forgotten" in capsys.readouterr().out
    assert files_containing(tmp_path, "harbour") == []


async def test_the_command_line_empties_the_streamers_folders_beside_a_running_program_and_without_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, port = tmp_path / "config.yaml", free_port()
    folders = [tmp_path / "evenings", tmp_path / "archive"]
    config.write_text(
        f"{CONFIG}outputs: [{{use: evening, folder: '{folders[0]}'}}, {{use: archive, folder: '{folders[1]}'}}]\n",
        "utf-8",
    )
    environ = environment(tmp_path / "home", port, config)
    left = tmp_path / "home" / "obs" / "pictures" / "background" / "1.jpg"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"copper weathercock")
    words = {"Gonzalo": "copper weathercock", "Ann": "pier", NAME: PROMPT}
    with command("run", environ=environ, log=tmp_path / "log"):
        wait_until_ready(f"http://127.0.0.1:{port}")
        remote = Remote(f"http://127.0.0.1:{port}", tmp_path / "home", tmp_path / "log")
        async with client(remote.url) as remote.client:
            for name, text in words.items():
                await remote.shown(f"!bg {text}", name=name)
            assert len(list(tmp_path.glob("*/*/*background*.jpg"))) == 6
            assert await cli.forget(environ, "Gonzalo") == 0
            assert len(list(tmp_path.glob("*/*/*background*.jpg"))) == 4
    assert (files_containing(tmp_path, "Gonzalo", "weathercock"), len(files_containing(folders[0], NAME, PROMPT))) == (
        [],
        1,
    )
    left.write_bytes(PROMPT.encode())
    assert await cli.forget(environ, NAME) == 0
    assert files_containing(tmp_path, NAME, PROMPT) == []
    assert len(list(tmp_path.glob("*/*/*background*.jpg"))) == 2
    (sheet,) = folders[0].glob("*/contact sheet 1.jpg")
    drawn = read_sheet(sheet.read_bytes())
    assert drawn is not None
    assert [entry.text for entry in drawn.entries] == ["pier"]
    said = [f"1 request deleted; {name} is forgotten" for name in ("Gonzalo", NAME)]
    assert capsys.readouterr().out.splitlines() == said
