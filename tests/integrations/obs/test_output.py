"""OBS as an output, with the real OBS: pictures as files, actions after a picture, and their end."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from pathlib import Path

from streamer.types import Clear, RequestState
from tests.support.obs_parts import close, ended, picture, running_obs, seen_colour
from tests.support.real_obs import HEIGHT, RealObs
from tests.support.waiting import until


async def test_without_a_browser_source_pictures_are_seen_as_files(real: RealObs, tmp_path: Path) -> None:
    async with running_obs(real.port, tmp_path, install=True) as running:
        running.shown["background"] = picture((30, 120, 30))
        await running.ready()
        await until(lambda: close(seen_colour(real), (30, 120, 30)))
        assert "no browser source" in running.detail
        for colour in ((200, 30, 30), (30, 30, 200)):
            await running.obs.output.publish(picture(colour))
            await until(lambda colour=colour: close(seen_colour(real), colour))  # type: ignore[misc]
        await running.obs.output.publish(picture((240, 240, 0), "meme"))
        await until(lambda: close(seen_colour(real, 450, HEIGHT // 2), (240, 240, 0)))
        await running.obs.output.publish(Clear("meme"))
        await until(lambda: close(seen_colour(real, 450, HEIGHT // 2), (30, 30, 200)))


async def test_what_a_picture_sets_off_is_undone_in_time(real: RealObs, tmp_path: Path) -> None:
    real.ask("CreateScene", sceneName="Big picture")
    actions = [{"commands": ["bg"], "scene": "Big picture", "back_after_s": 0.5}, {"scene": "Nowhere"}]
    async with running_obs(real.port, tmp_path, after=actions) as running:
        await running.ready()
        await running.obs.output.publish(ended(state=RequestState.REFUSED))
        await running.obs.output.publish(ended("meme"))
        await running.obs.output.publish(ended("bg"))
        await until(lambda: len(running.notices()) == 3)
        assert [text for _, text in running.notices()] == ["Scene", "Big picture", "Scene"]


def put_a_file_in_the_way_of(folder: Path) -> None:
    """Replace a folder by a file; the program may write into the folder, or make it anew, at the same moment."""
    for attempt in itertools.count():
        with suppress(FileNotFoundError):
            folder.rename(folder.with_name(f"{folder.name}-{attempt}"))
        with suppress(IsADirectoryError):
            folder.write_text("in the way")
            return


async def test_a_folder_that_cannot_be_written_is_said_and_ends_nothing(real: RealObs, tmp_path: Path) -> None:
    async with running_obs(real.port, tmp_path, install=True) as running:
        await running.ready()
        await until(lambda: real.inputs() == ["streamer background", "streamer meme"])
        folder = tmp_path / "obs" / "pictures"
        put_a_file_in_the_way_of(folder)
        await running.obs.output.publish(picture((200, 30, 30)))
        await asyncio.sleep(0.2)
        folder.unlink()
        await running.obs.output.publish(picture((30, 30, 200)))
        await until(lambda: close(seen_colour(real), (30, 30, 200)))
