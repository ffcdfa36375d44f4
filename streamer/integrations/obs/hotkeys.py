"""Hotkeys bound in OBS: it tells nobody of a key, but it does tell that a hidden item of a helper scene was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streamer.errors import ObsRefused
from streamer.integrations.obs.connection import ObsEvent
from streamer.integrations.obs.installer import NAME_TAKEN, Call

PREFIX = "streamer: "
# A kind that every OBS has; without a file it draws nothing.
_KIND = "image_source"


@dataclass(frozen=True, slots=True)
class HotkeyScene:
    """The helper scene as it stands in OBS: its name, and the command name of each of its items."""

    scene: str
    items: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key bound to "Show <item>" was pressed."""

    item: int
    name: str


async def set_up(call: Call, scene: str, names: list[str]) -> HotkeyScene:
    """Find or make the helper scene with one hidden item a name; a scene that was renamed is known by its items."""
    scene = await _scene_with(call, names) or scene
    try:
        await call("CreateScene", {"sceneName": scene})
    except ObsRefused as error:
        if error.code != NAME_TAKEN:
            raise
    items = await _items(call, scene)
    for name in names:
        if name not in items.values():
            items[await _add(call, scene, PREFIX + name)] = name
    for item in items:
        await call("SetSceneItemEnabled", {"sceneName": scene, "sceneItemId": item, "sceneItemEnabled": False})
    return HotkeyScene(scene, items)


def pressed(event: ObsEvent, helper: HotkeyScene) -> Pressed | None:
    """Say which key an event means, None for every other event."""
    if event.name != "SceneItemEnableStateChanged" or event.data.get("sceneName") != helper.scene:
        return None
    name = helper.items.get(event.data.get("sceneItemId", -1))
    return Pressed(event.data["sceneItemId"], name) if name and event.data.get("sceneItemEnabled") else None


async def release(call: Call, helper: HotkeyScene, key: Pressed) -> None:
    """Hide the item again, so that the next press shows it."""
    item = {"sceneName": helper.scene, "sceneItemId": key.item}
    await call("SetSceneItemEnabled", item | {"sceneItemEnabled": False})


async def _scene_with(call: Call, names: list[str]) -> str | None:
    for listed in (await call("GetSceneList", None))["scenes"]:
        scene = str(listed["sceneName"])
        if set(names) & set((await _items(call, scene)).values()):
            return scene
    return None


async def _items(call: Call, scene: str) -> dict[int, str]:
    listed = (await call("GetSceneItemList", {"sceneName": scene}))["sceneItems"]
    return {
        int(item["sceneItemId"]): str(item["sourceName"]).removeprefix(PREFIX)
        for item in listed
        if str(item["sourceName"]).startswith(PREFIX)
    }


async def _add(call: Call, scene: str, source: str) -> int:
    data = {"sceneName": scene, "inputName": source, "inputKind": _KIND, "inputSettings": {}}
    try:
        made = await call("CreateInput", data | {"sceneItemEnabled": False})
    except ObsRefused as error:
        if error.code != NAME_TAKEN:
            raise
        item = {"sceneName": scene, "sourceName": source, "sceneItemEnabled": False}
        made = await call("CreateSceneItem", item)
    return int(made["sceneItemId"])
