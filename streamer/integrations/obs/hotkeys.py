"""Hotkeys bound in OBS: it reports no key, but it does report that a hidden item of a scene was shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamer.errors import ObsRefused
from streamer.integrations.obs.connection import ObsEvent, ObsStatus
from streamer.integrations.obs.scene_items import ObsCall

PREFIX = "streamer: "
# Every OBS has this kind; without a file it draws nothing.
_KIND = "image_source"


@dataclass(frozen=True, slots=True)
class HotkeyScene:
    """The hotkey scene as it is in OBS: its name, and the hotkey name of each of its items by item id."""

    scene: str
    names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class HotkeyPress:
    """The key bound to "Show <item>" was pressed."""

    item: int
    name: str


async def set_up_hotkey_scene(call: ObsCall, scene: str, names: Sequence[str]) -> HotkeyScene:
    """Find or create the scene with one hidden item for each name; a renamed scene is recognized by its items."""
    scene = await _scene_with(call, names) or scene
    try:
        await call("CreateScene", {"sceneName": scene})
    except ObsRefused as error:
        if error.code != ObsStatus.NAME_TAKEN:
            raise
    items = await _hotkey_items(call, scene)
    for name in names:
        if name not in items.values():
            items[await _add_item(call, scene, PREFIX + name)] = name
    for item in items:
        await _hide(call, scene, item)
    return HotkeyScene(scene, items)


def press_from_event(event: ObsEvent, hotkeys: HotkeyScene) -> HotkeyPress | None:
    """Return the press that an event reports, None for every other event."""
    if event.name != "SceneItemEnableStateChanged" or event.data.get("sceneName") != hotkeys.scene:
        return None
    name = hotkeys.names.get(event.data.get("sceneItemId", -1))
    return HotkeyPress(event.data["sceneItemId"], name) if name and event.data.get("sceneItemEnabled") else None


async def release(call: ObsCall, hotkeys: HotkeyScene, press: HotkeyPress) -> None:
    """Hide the item again, so that the next press shows it."""
    await _hide(call, hotkeys.scene, press.item)


async def _hide(call: ObsCall, scene: str, item: int) -> None:
    await call("SetSceneItemEnabled", {"sceneName": scene, "sceneItemId": item, "sceneItemEnabled": False})


async def _scene_with(call: ObsCall, names: Sequence[str]) -> str | None:
    for listed in (await call("GetSceneList", None))["scenes"]:
        scene = str(listed["sceneName"])
        if set(names) & set((await _hotkey_items(call, scene)).values()):
            return scene
    return None


async def _hotkey_items(call: ObsCall, scene: str) -> dict[int, str]:
    listed = (await call("GetSceneItemList", {"sceneName": scene}))["sceneItems"]
    return {
        int(item["sceneItemId"]): str(item["sourceName"]).removeprefix(PREFIX)
        for item in listed
        if str(item["sourceName"]).startswith(PREFIX)
    }


async def _add_item(call: ObsCall, scene: str, source: str) -> int:
    data = {"sceneName": scene, "inputName": source, "inputKind": _KIND, "inputSettings": {}}
    try:
        created = await call("CreateInput", data | {"sceneItemEnabled": False})
    except ObsRefused as error:
        if error.code != ObsStatus.NAME_TAKEN:
            raise
        item = {"sceneName": scene, "sourceName": source, "sceneItemEnabled": False}
        created = await call("CreateSceneItem", item)
    return int(created["sceneItemId"])
