"""Our sources in a real OBS: created once, repaired, and found again under any name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamer.errors import ObsError
from streamer.integrations.obs.client import ObsClient
from streamer.integrations.obs.client_thread import ObsConnectionState
from streamer.integrations.obs.connection import ObsAnswer
from streamer.integrations.obs.desired_sources import (
    DesiredSource,
    KnownSource,
    ObsCanvas,
    SourceKind,
    plan_images,
    plan_pages,
)
from streamer.integrations.obs.image_files import PictureFiles
from streamer.integrations.obs.installer import Installer, InstallReport
from streamer.integrations.obs.known_sources import KnownSources
from streamer.overlay.layer_options import LayerOptions
from tests.support.real_obs import PASSWORD, RealObs
from tests.support.waiting import until

LAYERS = {"background": LayerOptions(use="background"), "meme": LayerOptions(use="popup", z=10, scale=0.5)}


class Setting:
    """A client of the real OBS, and a state directory that can be lost."""

    def __init__(self, client: ObsClient, home: Path) -> None:
        self.client, self.home = client, home

    async def install(self, *scenes: str, place: bool = False) -> InstallReport:
        """Install as a fresh start of the program would."""
        files = PictureFiles(self.home / "pictures", LAYERS)

        def plan(kind: SourceKind, canvas: ObsCanvas) -> Sequence[DesiredSource]:
            files.prepare()
            return plan_images(LAYERS, canvas, files.current())

        memory = KnownSources(self.home / "sources.json")
        return await Installer(self.client.call, plan, memory, same_machine=True).install(scenes, place=place)


@pytest.fixture
async def setting(real: RealObs, tmp_path: Path) -> AsyncIterator[Setting]:
    async with running_client(real) as client:
        yield Setting(client, tmp_path)


@asynccontextmanager
async def running_client(real: RealObs) -> AsyncIterator[ObsClient]:
    client = ObsClient("127.0.0.1", real.port, lambda: PASSWORD)
    async with client.running():
        await until(lambda: client.state is ObsConnectionState.READY)
        yield client


OURS = ["streamer background", "streamer meme"]


async def test_installed_twice_it_is_there_once_and_the_second_time_nothing_changes(
    real: RealObs, setting: Setting
) -> None:
    first = await setting.install()
    assert real.inputs() == real.items() == OURS
    assert first.layers == {"background": "streamer background", "meme": "streamer meme"}
    assert any("no browser source" in problem for problem in first.problems)
    again = await setting.install()
    assert real.inputs() == real.items() == OURS
    assert not [line for line in again.changes if "file" not in line]


async def test_the_background_goes_below_everything_and_a_card_on_top(real: RealObs, setting: Setting) -> None:
    real.ask("CreateInput", sceneName="Scene", inputName="game", inputKind="color_source_v3", sceneItemEnabled=True)
    await setting.install()
    assert real.items() == ["streamer background", "game", "streamer meme"]
    item = real.ask("GetSceneItemList", sceneName="Scene")["sceneItems"][0]["sceneItemTransform"]
    assert (item["boundsType"], item["boundsWidth"], item["boundsHeight"]) == ("OBS_BOUNDS_SCALE_OUTER", 640, 360)


async def test_renamed_by_the_streamer_it_is_found_again(real: RealObs, setting: Setting) -> None:
    await setting.install()
    real.ask("SetInputName", inputName="streamer meme", newInputName="my memes")
    report = await setting.install()
    assert report.layers["meme"] == "my memes"
    assert real.inputs() == ["my memes", "streamer background"]
    (setting.home / "sources.json").unlink()
    assert (await setting.install()).layers["meme"] == "my memes", "known by what it shows"


async def test_a_deleted_source_is_created_again(real: RealObs, setting: Setting) -> None:
    await setting.install()
    real.ask("RemoveInput", inputName="streamer meme")
    # OBS answers before it has removed the source.
    await until(lambda: real.inputs() == real.items() == ["streamer background"])
    await setting.install()
    assert real.inputs() == real.items() == OURS


async def test_another_scene_collection_gets_its_own_and_the_first_keeps_them(real: RealObs, setting: Setting) -> None:
    first = real.ask("GetSceneCollectionList")["currentSceneCollectionName"]
    await setting.install()
    real.reset()
    assert real.inputs() == []
    await setting.install()
    assert real.inputs() == OURS
    real.ask("SetCurrentSceneCollection", sceneCollectionName=first)
    await setting.install()
    assert real.inputs() == real.items() == OURS


async def test_wrong_settings_are_repaired_and_what_the_streamer_moved_stays(real: RealObs, setting: Setting) -> None:
    await setting.install()
    real.ask("SetInputSettings", inputName="streamer meme", inputSettings={"file": "/nothing.png", "unload": True})
    # What shows our files no longer is still known by its name.
    item = real.ask("GetSceneItemId", sceneName="Scene", sourceName="streamer meme")["sceneItemId"]
    moved = {"positionX": 10.0, "positionY": 20.0}
    real.ask("SetSceneItemTransform", sceneName="Scene", sceneItemId=item, sceneItemTransform=moved)
    await setting.install()
    settings = real.settings("streamer meme")
    assert settings["unload"] is False
    assert settings["file"].startswith(str(setting.home))
    assert transform(real, item)["positionX"] == 10.0
    await setting.install(place=True)
    assert transform(real, item)["positionX"] == 309.0


def transform(real: RealObs, item: int) -> Mapping[str, float]:
    answer: ObsAnswer = real.ask("GetSceneItemTransform", sceneName="Scene", sceneItemId=item)["sceneItemTransform"]
    return answer


async def test_a_changed_canvas_takes_what_filled_the_old_one_along(real: RealObs, setting: Setting) -> None:
    await setting.install()
    video = real.ask("GetVideoSettings")
    real.ask("SetVideoSettings", **{**video, "baseWidth": 320, "baseHeight": 180})
    await setting.install()
    item = real.ask("GetSceneItemId", sceneName="Scene", sourceName="streamer background")["sceneItemId"]
    assert transform(real, item)["boundsWidth"] == 320


async def test_chosen_scenes_share_one_source(real: RealObs, setting: Setting) -> None:
    real.ask("CreateScene", sceneName="Break")
    report = await setting.install("Scene", "Break", "Nowhere")
    assert real.inputs() == real.items() == real.items("Break") == OURS
    assert [problem for problem in report.problems if "'Nowhere'" in problem]
    again = await setting.install("Scene", "Break")
    assert real.items("Break") == OURS
    assert not [line for line in again.changes if "file" not in line]


async def test_a_name_that_something_else_has_gets_a_number(real: RealObs, setting: Setting) -> None:
    real.ask("CreateScene", sceneName="streamer meme")
    report = await setting.install()
    assert report.layers["meme"] == "streamer meme 2"
    assert (await setting.install()).layers["meme"] == "streamer meme 2"
    assert len(real.inputs()) == 2


async def test_without_a_browser_source_another_machine_cannot_be_served(real: RealObs, setting: Setting) -> None:
    remote = Installer(
        setting.client.call, lambda kind, canvas: [], KnownSources(setting.home / "remote.json"), same_machine=False
    )
    with pytest.raises(ObsError, match="another machine"):
        await remote.install(())


async def test_an_obs_that_gives_ids_is_asked_by_them_whatever_the_source_is_called_and_shows(tmp_path: Path) -> None:
    # OBS 30 and newer; Debian's is older.
    calls: list[str] = []
    there = {"inputName": "something else", "inputUuid": "id-1", "inputKind": "browser_source"}
    answers: dict[str, ObsAnswer] = {
        "GetInputKindList": {"inputKinds": ["browser_source"]},
        "GetVideoSettings": {"baseWidth": 640, "baseHeight": 360},
        "GetSceneCollectionList": {"currentSceneCollectionName": "Untitled"},
        "GetInputList": {"inputs": [there]},
        "GetInputSettings": {"inputSettings": {"url": "http://elsewhere"}},
        "GetSceneList": {"currentProgramSceneName": "Scene", "scenes": [{"sceneName": "Scene"}]},
        "GetSceneItemList": {"sceneItems": [{"sourceName": "something else", "sceneItemId": 3}]},
    }

    async def call(request: str, data: ObsAnswer | None) -> ObsAnswer:
        calls.append(request)
        return answers.get(request, {})

    def plan(kind: SourceKind, canvas: ObsCanvas) -> Sequence[DesiredSource]:
        return plan_pages({"meme": LAYERS["meme"]}, canvas, {"overlay": "http://here/overlay"})

    memory = KnownSources(tmp_path / "sources.json")
    memory.remember("Untitled", {"overlay": KnownSource("streamer overlay", "id-1", (640, 360))})
    report = await Installer(call, plan, memory, same_machine=False).install(())
    assert report.names == {"overlay": "something else"}
    assert "CreateInput" not in calls
    assert memory.known("Untitled")["overlay"].name == "something else"
