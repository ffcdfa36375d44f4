"""Keys bound in a real OBS: showing a hidden item is a press, and the item is hidden again."""

from __future__ import annotations

import pytest

from streamer.integrations.obs.connection import ObsEvent
from streamer.integrations.obs.hotkeys import HotkeyPress, HotkeyScene, press_from_event, release, set_up_hotkey_scene
from tests.support.obs_calls import DirectCalls
from tests.support.real_obs import RealObs

HOTKEYS = HotkeyScene("keys", {3: "panic"})


@pytest.mark.parametrize(
    ("scene", "item", "shown", "expected"),
    [
        ("keys", 3, True, HotkeyPress(3, "panic")),
        ("keys", 3, False, None),
        ("keys", 4, True, None),
        ("Scene", 3, True, None),
    ],
)
def test_only_an_item_of_the_hotkey_scene_that_is_shown_is_a_press(
    scene: str, item: int, shown: bool, expected: HotkeyPress | None
) -> None:
    data = {"sceneName": scene, "sceneItemId": item, "sceneItemEnabled": shown}
    assert press_from_event(ObsEvent("SceneItemEnableStateChanged", data), HOTKEYS) == expected
    assert press_from_event(ObsEvent("SceneItemCreated", data), HOTKEYS) is None


async def test_the_scene_is_made_once_and_known_by_its_items_when_it_is_renamed(real: RealObs) -> None:
    call = DirectCalls(real)
    created = await set_up_hotkey_scene(call, "streamer hotkeys", ["panic", "harbour"])
    assert sorted(created.names.values()) == ["harbour", "panic"]
    assert await set_up_hotkey_scene(call, "streamer hotkeys", ["panic", "harbour"]) == created
    real.ask("SetSceneName", sceneName="streamer hotkeys", newSceneName="my keys")
    again = await set_up_hotkey_scene(call, "streamer hotkeys", ["panic", "harbour", "undo"])
    assert again.scene == "my keys"
    assert real.items("my keys") == ["streamer: panic", "streamer: harbour", "streamer: undo"]


async def test_the_key_shows_the_item_and_release_hides_it(real: RealObs) -> None:
    call = DirectCalls(real)
    hotkeys = await set_up_hotkey_scene(call, "streamer hotkeys", ["panic"])
    (item,) = hotkeys.names

    def shown() -> bool:
        return bool(real.ask("GetSceneItemEnabled", sceneName=hotkeys.scene, sceneItemId=item)["sceneItemEnabled"])

    assert not shown()
    (key,) = (name for name in real.ask("GetHotkeyList")["hotkeys"] if name.startswith("libobs.show_scene_item."))
    real.ask("TriggerHotkeyByName", hotkeyName=key)
    assert shown()
    await release(call, hotkeys, HotkeyPress(item, "panic"))
    assert not shown()
