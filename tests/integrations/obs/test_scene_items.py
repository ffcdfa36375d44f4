"""Where a real OBS shows a source: in scenes and in groups."""

from __future__ import annotations

from streamer.integrations.obs.connection import ObsAnswer
from streamer.integrations.obs.desired_sources import Box, DesiredSource, SourceKind
from streamer.integrations.obs.scene_items import IN_GROUP, SceneItem, SceneItems
from tests.support.obs_calls import DirectCalls
from tests.support.real_obs import RealObs

BEHIND = DesiredSource("a", "lamp", SourceKind.IMAGE, ("meme",), {}, Box(10, 20, 30, 40, fills=False), behind=True)


async def test_a_source_is_found_in_every_scene_and_placed_at_the_bottom(real: RealObs) -> None:
    items = SceneItems(DirectCalls(real))
    for name in ("game", "lamp"):
        real.ask("CreateInput", sceneName="Scene", inputName=name, inputKind="color_source_v3", sceneItemEnabled=True)
    real.ask("CreateScene", sceneName="Break")
    created = await items.create("Break", "lamp")
    assert await items.scenes() == ["Break", "Scene"]
    assert await items.program_scene() == "Scene"
    shown = {item.scene: item for item in await items.showing("lamp")}
    assert set(shown) == {"Break", "Scene"}
    assert shown["Break"].id == created.id
    await items.place(BEHIND, [shown["Scene"]], reorder=True)
    assert real.items() == ["lamp", "game"]
    (placed,) = [item for item in await items.showing("lamp") if item.scene == "Scene"]
    assert (placed.transform["positionX"], placed.transform["boundsHeight"]) == (10.0, 40.0)


async def test_a_source_in_a_group_counts_as_shown_by_the_scene_of_the_group() -> None:
    # obs-websocket cannot create groups.
    answers: dict[str, ObsAnswer] = {
        "GetSceneList": {"scenes": [{"sceneName": "Scene"}]},
        "GetSceneItemList": {"sceneItems": [{"sourceName": "my group", "sceneItemId": 1, "isGroup": True}]},
        "GetGroupSceneItemList": {"sceneItems": [{"sourceName": "lamp"}]},
    }

    async def call(request: str, data: ObsAnswer | None) -> ObsAnswer:
        return answers[request]

    assert await SceneItems(call).showing("lamp") == [SceneItem("Scene", IN_GROUP, {})]
    assert await SceneItems(call).showing("game") == []
