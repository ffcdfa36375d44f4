"""OBS as the program meets it, with the real OBS: what it tells, what is done in it, and what it looks like."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from streamer.errors import BackendError, Unsupported
from streamer.integrations.obs import build
from streamer.integrations.obs import plugin as module
from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.obs.page_watchdog import MISSING
from streamer.integrations.obs.plugin import Obs
from streamer.interfaces import SourceEvent
from streamer.overlay.layer_options import LayerOptions
from streamer.types import (
    Actor,
    Clear,
    Ended,
    Frame,
    ImageRequest,
    KeyPress,
    Lane,
    Notice,
    NoticeKind,
    RequestState,
    Role,
    SamplingParams,
)
from tests.support.fake_obs import FakeObs, Refuse, fake_obs
from tests.support.real_obs import HEIGHT, PASSWORD, WIDTH, RealObs
from tests.support.waiting import until

LAYERS = {"background": LayerOptions(use="background"), "meme": LayerOptions(use="popup", z=10, scale=0.5)}
URL = "http://127.0.0.1:8710/overlay#token"


@dataclass
class Running:
    """The part under test, and everything it told."""

    obs: Obs
    told: list[SourceEvent] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    shown: dict[str, Frame] = field(default_factory=dict)

    def notices(self) -> list[tuple[NoticeKind, str]]:
        return [(one.kind, one.text) for one in self.told if isinstance(one, Notice)]

    async def ready(self) -> None:
        await until(lambda: self.obs.health().state in ("ready", "limited") and self.notices())


@asynccontextmanager
async def running(port: int, home: Path, password: str = PASSWORD, **options: Any) -> AsyncIterator[Running]:
    """Run what deals with OBS, as the pipeline would."""
    state: Running
    chosen = ObsOptions.model_validate({"port": port, **options})
    environ = {"STREAMER_OBS_PASSWORD": password}
    pages: list[str] = []
    shown: dict[str, Frame] = {}
    state = Running(build.build_obs(chosen, LAYERS, home, environ, URL, lambda: pages, shown.get), [], pages, shown)

    async def listen() -> None:
        async with aclosing(state.obs.listen()) as happenings:  # type: ignore[type-var]
            async for happening in happenings:
                state.told.append(happening)

    task = asyncio.create_task(listen())
    try:
        yield state
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def picture(colour: tuple[int, int, int], layer: str = "background") -> Frame:
    encoded = io.BytesIO()
    Image.new("RGB", (640, 352), colour).save(encoded, "JPEG", quality=95)
    return Frame("r", layer, "image/jpeg", encoded.getvalue(), 640, 352)


def seen(real: RealObs, x: int = WIDTH // 2, y: int = 10) -> tuple[int, int, int]:
    """Return the colour of one point of what viewers see."""
    answer = real.ask(
        "GetSourceScreenshot", sourceName="Scene", imageFormat="png", imageWidth=WIDTH, imageHeight=HEIGHT
    )
    with Image.open(io.BytesIO(base64.b64decode(answer["imageData"].partition(",")[2]))) as shot:
        red, green, blue = np.asarray(shot.convert("RGB"))[y, x]
        return int(red), int(green), int(blue)


def close(colour: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) < 12


def ended(command: str = "bg", state: RequestState = RequestState.SHOWN) -> Ended:
    request = ImageRequest(
        "r", command, "background", "background", "x", "x", SamplingParams(64, 64, 4, 1.0, 7),
        Actor("1", "ann", Role.VIEWER), Lane.CHAT, 0.0, 30.0,
    )  # fmt: skip
    return Ended(request, state)


async def test_it_tells_the_scene_and_every_change_of_it(real: RealObs, tmp_path: Path) -> None:
    real.ask("CreateScene", sceneName="Break")
    async with running(real.port, tmp_path) as state:
        await state.ready()
        real.ask("SetCurrentProgramScene", sceneName="Break")
        await until(lambda: len(state.notices()) == 2)
        assert state.notices() == [(NoticeKind.SCENE, "Scene"), (NoticeKind.SCENE, "Break")]
        assert "scene 'Break'" in state.obs.health().detail


async def test_a_recording_is_told_when_it_runs_and_when_it_ends(real: RealObs, tmp_path: Path) -> None:
    async with running(real.port, tmp_path) as state:
        await state.ready()
        real.ask("StartRecord")
        await until(lambda: (NoticeKind.RECORDING_ON, "") in state.notices())
        await asyncio.sleep(0.3)
        real.ask("StopRecord")
        await until(lambda: (NoticeKind.RECORDING_OFF, "") in state.notices())


async def test_a_stream_that_never_reaches_its_server_is_not_live(real: RealObs, tmp_path: Path) -> None:
    dead = {"server": "rtmp://127.0.0.1:9/live", "key": "none"}
    real.ask("SetStreamServiceSettings", streamServiceType="rtmp_custom", streamServiceSettings=dead)
    async with running(real.port, tmp_path) as state:
        await state.ready()
        real.ask("StartStream")
        await asyncio.sleep(1.0)
        real.ask("StopStream") if real.ask("GetStreamStatus")["outputActive"] else None
        assert NoticeKind.ONLINE not in [kind for kind, _ in state.notices()]


async def test_a_key_bound_in_obs_is_a_press_every_time(real: RealObs, tmp_path: Path) -> None:
    async with running(real.port, tmp_path, hotkeys={"keys": {"blank": "panic"}}) as state:
        await state.ready()
        assert state.obs.names() == ("panic",)
        await until(lambda: "streamer hotkeys" in [s["sceneName"] for s in real.ask("GetSceneList")["scenes"]])
        await until(lambda: real.items("streamer hotkeys"))
        (key,) = (name for name in real.ask("GetHotkeyList")["hotkeys"] if name.startswith("libobs.show_scene_item."))
        for count in (1, 2):
            real.ask("TriggerHotkeyByName", hotkeyName=key)
            await until(lambda count=count: len(presses(state)) == count)  # type: ignore[misc]
            await asyncio.sleep(0.1)
        assert [press.name for press in presses(state)] == ["panic", "panic"]


def presses(state: Running) -> list[KeyPress]:
    return [one for one in state.told if isinstance(one, KeyPress)]


async def test_obs_killed_and_restarted_is_no_error_and_is_set_up_again(
    real: RealObs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(real.port, tmp_path, install=True) as state:
        await until(lambda: real.inputs() == ["streamer background", "streamer meme"])
        await state.ready()
        real.kill()
        await until(lambda: state.obs.health().state == "away")
        await state.obs.publish(picture((200, 30, 30)))
        await asyncio.to_thread(real.start)
        # Killed, it has saved nothing; or it has, and finds them again.
        await until(lambda: state.obs.health().state in ("ready", "limited"))
        await until(lambda: real.inputs() == ["streamer background", "streamer meme"])
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert PASSWORD not in caplog.text


async def test_a_wrong_password_is_said_and_not_tried_for_ever(real: RealObs, tmp_path: Path) -> None:
    async with running(real.port, tmp_path, password="wrong-one") as state:
        await until(lambda: state.obs.health().state == "failed")
        assert "does not accept the password" in state.obs.health().detail
        tried = real.told("has disconnected with code `4009`")
        await asyncio.sleep(2)
        assert real.told("has disconnected with code `4009`") == tried


async def test_without_a_browser_source_pictures_are_seen_as_files(real: RealObs, tmp_path: Path) -> None:
    async with running(real.port, tmp_path, install=True) as state:
        state.shown["background"] = picture((30, 120, 30))
        await state.ready()
        await until(lambda: close(seen(real), (30, 120, 30)))
        assert "no browser source" in state.obs.health().detail
        for colour in ((200, 30, 30), (30, 30, 200)):
            await state.obs.publish(picture(colour))
            await until(lambda colour=colour: close(seen(real), colour))  # type: ignore[misc]
        await state.obs.publish(picture((240, 240, 0), "meme"))
        await until(lambda: close(seen(real, 450, HEIGHT // 2), (240, 240, 0)))
        await state.obs.publish(Clear("meme"))
        await until(lambda: close(seen(real, 450, HEIGHT // 2), (30, 30, 200)))


async def test_what_a_picture_sets_off_is_undone_in_time(real: RealObs, tmp_path: Path) -> None:
    real.ask("CreateScene", sceneName="Big picture")
    actions = [{"commands": ["bg"], "scene": "Big picture", "back_after_s": 0.5}, {"scene": "Nowhere"}]
    async with running(real.port, tmp_path, after=actions) as state:
        await state.ready()
        await state.obs.publish(ended(state=RequestState.REFUSED))
        await state.obs.publish(ended("meme"))
        await state.obs.publish(ended("bg"))
        await until(lambda: len(state.notices()) == 3)
        assert [text for _, text in state.notices()] == ["Scene", "Big picture", "Scene"]


async def test_what_viewers_see_is_a_picture_to_edit(real: RealObs, tmp_path: Path) -> None:
    real.ask(
        "CreateInput",
        sceneName="Scene",
        inputName="red",
        inputKind="color_source_v3",
        inputSettings={"color": 0xFF0000FF},
    )
    async with running(real.port, tmp_path, program_picture=True) as state:
        await state.ready()
        with Image.open(io.BytesIO(await state.obs.picture())) as shot:
            assert (shot.format, shot.size) == ("JPEG", (1280, 720))
            assert close(shot.convert("RGB").getpixel((640, 360)), (255, 0, 0))  # type: ignore[arg-type]


async def test_no_picture_is_taken_unless_the_streamer_allows_it(real: RealObs, tmp_path: Path) -> None:
    async with running(real.port, tmp_path) as state:
        await state.ready()
        with pytest.raises(Unsupported, match="has not switched that on"):
            await state.obs.picture()


async def test_without_obs_there_is_no_picture_and_a_reason(tmp_path: Path) -> None:
    async with fake_obs() as fake:
        pass
    async with running(fake.port, tmp_path, program_picture=True) as state:
        with pytest.raises(BackendError, match="OBS did not answer"):
            await state.obs.picture()


# With a browser source.


async def test_the_page_on_disk_is_installed_and_loaded_again_when_it_does_not_come(
    with_browser: RealObs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.integrations.obs.page_watchdog.GONE_S", 0.5)
    monkeypatch.setattr(module, "TICK_S", 0.1)
    refreshed = with_browser.told("page streamer overlay: refreshed")
    async with running(with_browser.port, tmp_path, install=True) as state:
        await state.ready()
        await until(lambda: with_browser.items() == ["streamer background", "streamer overlay"])
        settings = with_browser.settings("streamer overlay")
        assert settings["local_file"] == str(tmp_path / "obs" / "overlay.html")
        assert (settings["width"], settings["height"], settings["is_local_file"]) == (WIDTH, HEIGHT, True)
        await until(lambda: with_browser.told("page streamer overlay: refreshed") == refreshed + 1)
        assert with_browser.told("page streamer background: refreshed") > 0
        state.pages.append("29.0.2")
        await asyncio.sleep(0.3)
    assert with_browser.told("page streamer overlay: refreshed") == refreshed + 1


async def test_a_page_that_is_there_is_never_loaded_again(
    with_browser: RealObs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.integrations.obs.page_watchdog.GONE_S", 0.2)
    monkeypatch.setattr(module, "TICK_S", 0.05)
    refreshed = with_browser.told("refreshed")
    async with running(with_browser.port, tmp_path, install=True) as state:
        state.pages.append("29.0.2")
        await state.ready()
        await asyncio.sleep(0.8)
    assert with_browser.told("refreshed") == refreshed


async def test_recording_without_a_page_is_an_alarm_until_one_comes(
    with_browser: RealObs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("streamer.integrations.obs.page_watchdog.GONE_S", 0.3)
    monkeypatch.setattr(module, "TICK_S", 0.05)
    async with running(with_browser.port, tmp_path) as state:
        await state.ready()
        with_browser.ask("StartRecord")
        await until(lambda: state.obs.health().state == "alarm")
        assert state.obs.health().detail == MISSING
        state.pages.append("29.0.2")
        await until(lambda: state.obs.health().state == "ready")
        with_browser.ask("StopRecord")
        await until(lambda: (NoticeKind.RECORDING_OFF, "") in state.notices())
    assert caplog.text.count(MISSING) == 1


async def test_renamed_while_connected_it_is_remembered_and_another_collection_gets_its_own(
    with_browser: RealObs, tmp_path: Path
) -> None:
    async with running(with_browser.port, tmp_path, install=True) as state:
        await state.ready()
        await until((tmp_path / "obs" / "sources.json").exists)
        with_browser.ask("SetInputName", inputName="streamer overlay", newInputName="mine")
        await until(lambda: "mine" in (tmp_path / "obs" / "sources.json").read_text())
        with_browser.blank()
        await until(lambda: with_browser.items() == ["streamer background", "streamer overlay"])


# What only a fake can be made to do.


async def test_going_live_and_off_is_told_also_when_it_happened_unheard(tmp_path: Path) -> None:
    async with fake_obs(PASSWORD) as fake:
        active = silent(fake)
        async with running(fake.port, tmp_path) as state:
            await state.ready()
            await until(lambda: len(fake.sessions) == 2)
            await fake.emit("StreamStateChanged", {"outputState": "OBS_WEBSOCKET_OUTPUT_STARTED"}, 64)
            await until(lambda: (NoticeKind.ONLINE, "") in state.notices())
            active(False)
            await fake.close_all()
            await until(lambda: (NoticeKind.OFFLINE, "") in state.notices())


def silent(fake: FakeObs) -> Callable[[bool], None]:
    """Let a fake answer what is asked at the start, and say how to switch its stream on and off."""
    streaming = [False]
    fake.handlers |= {
        "GetSceneList": lambda data: {"currentProgramSceneName": "Live", "scenes": [{"sceneName": "Live"}]},
        "GetStreamStatus": lambda data: {"outputActive": streaming[0]},
        "GetRecordStatus": lambda data: {"outputActive": False},
    }
    return lambda on: streaming.__setitem__(0, on)


async def test_answers_that_nobody_expects_are_said_and_end_nothing(tmp_path: Path) -> None:
    async with fake_obs(PASSWORD) as fake:
        silent(fake)
        fake.handlers["GetInputKindList"] = lambda data: {"unexpected": True}
        async with running(fake.port, tmp_path, install=True) as state:
            await until(lambda: state.obs.health().state == "limited")
            assert "not set up" in state.obs.health().detail
            await until(lambda: len(fake.sessions) == 2)
            await fake.emit("CurrentProgramSceneChanged", {"sceneName": "Break"}, 4)
            await until(lambda: (NoticeKind.SCENE, "Break") in state.notices())


async def test_an_obs_that_is_not_ready_yet_is_asked_again(tmp_path: Path) -> None:
    async with fake_obs(PASSWORD) as fake:
        silent(fake)
        record, refusals = fake.handlers["GetRecordStatus"], iter([Refuse(207), Refuse(207)])

        def loading(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
            if (refusal := next(refusals, None)) is not None:
                raise refusal
            return record(data)

        fake.handlers["GetRecordStatus"] = loading
        async with running(fake.port, tmp_path) as state:
            await state.ready()
            assert state.notices() == [(NoticeKind.SCENE, "Live")]


async def test_nothing_is_asked_of_obs_while_it_changes_the_scene_collection(tmp_path: Path) -> None:
    async with fake_obs(PASSWORD) as fake:
        silent(fake)
        async with running(fake.port, tmp_path, after=[{"hotkey": "OBSBasic.Screenshot"}]) as state:
            await state.ready()
            await until(lambda: len(fake.sessions) == 2)
            await fake.emit("CurrentSceneCollectionChanging", {}, 2)
            await fake.emit("InputRemoved", {"inputName": "streamer overlay"}, 8)
            await fake.emit("CurrentProgramSceneChanged", {"sceneName": "Other"}, 4)
            await until(lambda: (NoticeKind.SCENE, "Other") in state.notices())
            asked = len(fake.asked)
            await state.obs.publish(ended())
            await asyncio.sleep(0.2)
            assert len(fake.asked) == asked
            await fake.emit("CurrentSceneCollectionChanged", {}, 2)
            await until(lambda: len(fake.asked) > asked)


async def test_a_folder_that_cannot_be_written_is_said_and_ends_nothing(real: RealObs, tmp_path: Path) -> None:
    async with running(real.port, tmp_path, install=True) as state:
        await state.ready()
        await until(lambda: real.inputs() == ["streamer background", "streamer meme"])
        folder = tmp_path / "obs" / "pictures"
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
        folder.write_text("in the way")
        await state.obs.publish(picture((200, 30, 30)))
        await asyncio.sleep(0.2)
        folder.unlink()
        await state.obs.publish(picture((30, 30, 200)))
        await until(lambda: close(seen(real), (30, 30, 200)))
