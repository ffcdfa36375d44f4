"""OBS as a trigger source, with the real OBS: scenes, recording, hotkeys, and what ends the connection."""

from __future__ import annotations

import asyncio
from pathlib import Path

from streamer.types import NoticeKind
from tests.support.fake_obs import fake_obs
from tests.support.obs_parts import answer_set_up, ended, running_obs
from tests.support.real_obs import PASSWORD, RealObs
from tests.support.waiting import until


async def test_it_tells_the_scene_and_every_change_of_it(real: RealObs, tmp_path: Path) -> None:
    real.ask("CreateScene", sceneName="Break")
    async with running_obs(real.port, tmp_path) as running:
        await running.ready()
        real.ask("SetCurrentProgramScene", sceneName="Break")
        await until(lambda: len(running.notices()) == 2)
        assert running.notices() == [(NoticeKind.SCENE, "Scene"), (NoticeKind.SCENE, "Break")]
        assert "scene 'Break'" in running.detail


async def test_a_recording_is_told_when_it_runs_and_when_it_ends(real: RealObs, tmp_path: Path) -> None:
    async with running_obs(real.port, tmp_path) as running:
        await running.ready()
        real.ask("StartRecord")
        await until(lambda: (NoticeKind.RECORDING_ON, "") in running.notices())
        await asyncio.sleep(0.3)
        real.ask("StopRecord")
        await until(lambda: (NoticeKind.RECORDING_OFF, "") in running.notices())


async def test_a_stream_that_never_reaches_its_server_is_not_live(real: RealObs, tmp_path: Path) -> None:
    dead = {"server": "rtmp://127.0.0.1:9/live", "key": "none"}
    real.ask("SetStreamServiceSettings", streamServiceType="rtmp_custom", streamServiceSettings=dead)
    async with running_obs(real.port, tmp_path) as running:
        await running.ready()
        real.ask("StartStream")
        await asyncio.sleep(1.0)
        real.ask("StopStream") if real.ask("GetStreamStatus")["outputActive"] else None
        assert NoticeKind.ONLINE not in [kind for kind, _ in running.notices()]


async def test_a_key_bound_in_obs_is_a_press_every_time(real: RealObs, tmp_path: Path) -> None:
    async with running_obs(real.port, tmp_path, hotkeys={"keys": {"blank": "panic"}}) as running:
        await running.ready()
        assert running.obs.source.names() == ("panic",)
        await until(lambda: "streamer hotkeys" in [s["sceneName"] for s in real.ask("GetSceneList")["scenes"]])
        await until(lambda: real.items("streamer hotkeys"))
        (key,) = (name for name in real.ask("GetHotkeyList")["hotkeys"] if name.startswith("libobs.show_scene_item."))
        for count in (1, 2):
            real.ask("TriggerHotkeyByName", hotkeyName=key)
            await until(lambda count=count: len(running.presses()) == count)  # type: ignore[misc]
            await asyncio.sleep(0.1)
        assert [press.name for press in running.presses()] == ["panic", "panic"]


async def test_a_wrong_password_is_said_and_not_tried_for_ever(real: RealObs, tmp_path: Path) -> None:
    async with running_obs(real.port, tmp_path, password="wrong-one") as running:
        await until(lambda: running.state == "failed")
        assert "does not accept the password" in running.detail
        tried = real.logged("has disconnected with code `4009`")
        await asyncio.sleep(2)
        assert real.logged("has disconnected with code `4009`") == tried


async def test_going_live_and_off_is_told_also_when_it_happened_unheard(tmp_path: Path) -> None:
    async with fake_obs(PASSWORD) as fake:
        active = answer_set_up(fake)
        async with running_obs(fake.port, tmp_path) as running:
            await running.ready()
            await until(lambda: len(fake.sessions) == 2)
            await fake.emit("StreamStateChanged", {"outputState": "OBS_WEBSOCKET_OUTPUT_STARTED"}, 64)
            await until(lambda: (NoticeKind.ONLINE, "") in running.notices())
            active(False)
            await fake.close_all()
            await until(lambda: (NoticeKind.OFFLINE, "") in running.notices())


async def test_nothing_is_asked_of_obs_while_it_changes_the_scene_collection(tmp_path: Path) -> None:
    async with fake_obs(PASSWORD) as fake:
        answer_set_up(fake)
        async with running_obs(fake.port, tmp_path, after=[{"hotkey": "OBSBasic.Screenshot"}]) as running:
            await running.ready()
            await until(lambda: len(fake.sessions) == 2)
            await fake.emit("CurrentSceneCollectionChanging", {}, 2)
            await fake.emit("InputRemoved", {"inputName": "streamer overlay"}, 8)
            await fake.emit("CurrentProgramSceneChanged", {"sceneName": "Other"}, 4)
            await until(lambda: (NoticeKind.SCENE, "Other") in running.notices())
            count = len(fake.requests)
            await running.obs.output.publish(ended())
            await asyncio.sleep(0.2)
            assert len(fake.requests) == count
            await fake.emit("CurrentSceneCollectionChanged", {}, 2)
            await until(lambda: len(fake.requests) > count)
