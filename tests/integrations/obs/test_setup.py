"""OBS is set up whenever it connects or changes its scene collection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from streamer.types import NoticeKind
from tests.support.fake_obs import Refuse, fake_obs
from tests.support.obs_parts import answer_set_up, picture, running_obs
from tests.support.real_obs import PASSWORD, RealObs
from tests.support.waiting import until


async def test_obs_killed_and_restarted_is_no_error_and_is_set_up_again(
    real: RealObs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running_obs(real.port, tmp_path, install=True) as running:
        await until(lambda: real.inputs() == ["streamer background", "streamer meme"])
        await running.ready()
        real.kill()
        await until(lambda: running.state == "away")
        await running.obs.output.publish(picture((200, 30, 30)))
        await asyncio.to_thread(real.start)
        # Killed, it has saved nothing; or it has, and finds them again.
        await until(lambda: running.state in ("ready", "limited"))
        await until(lambda: real.inputs() == ["streamer background", "streamer meme"])
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert PASSWORD not in caplog.text


async def test_renamed_while_connected_it_is_remembered_and_another_collection_gets_its_own(
    with_browser: RealObs, tmp_path: Path
) -> None:
    async with running_obs(with_browser.port, tmp_path, install=True) as running:
        await running.ready()
        await until((tmp_path / "obs" / "sources.json").exists)
        with_browser.ask("SetInputName", inputName="streamer overlay", newInputName="mine")
        await until(lambda: "mine" in (tmp_path / "obs" / "sources.json").read_text())
        with_browser.reset()
        await until(lambda: with_browser.items() == ["streamer background", "streamer overlay"])


async def test_answers_that_nobody_expects_are_said_and_end_nothing(tmp_path: Path) -> None:
    async with fake_obs(PASSWORD) as fake:
        answer_set_up(fake)
        fake.handlers["GetInputKindList"] = lambda data: {"unexpected": True}
        async with running_obs(fake.port, tmp_path, install=True) as running:
            await until(lambda: running.state == "limited")
            assert "not set up" in running.detail
            await until(lambda: len(fake.sessions) == 2)
            await fake.emit("CurrentProgramSceneChanged", {"sceneName": "Break"}, 4)
            await until(lambda: (NoticeKind.SCENE, "Break") in running.notices())


async def test_an_obs_that_is_not_ready_yet_is_asked_again(tmp_path: Path) -> None:
    async with fake_obs(PASSWORD) as fake:
        answer_set_up(fake)
        record, refusals = fake.handlers["GetRecordStatus"], iter([Refuse(207), Refuse(207)])

        def loading(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
            if (refusal := next(refusals, None)) is not None:
                raise refusal
            return record(data)

        fake.handlers["GetRecordStatus"] = loading
        async with running_obs(fake.port, tmp_path) as running:
            await running.ready()
            assert running.notices() == [(NoticeKind.SCENE, "Live")]
