"""What is done in OBS after a picture has gone on air: scenes, sources, filters, hotkeys; and undone in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.errors import ObsError, in_words
from streamer.integrations.obs.config import After, EnableFilter, ShowSource
from streamer.integrations.obs.connection import ObsAnswer
from streamer.integrations.obs.installer import Call


@dataclass(frozen=True, slots=True)
class UndoAction:
    """What is to be taken back ``after_s`` seconds later; a newer one of the same ``key`` takes its place."""

    key: tuple[str, ...]
    after_s: float
    request: str
    data: ObsAnswer


def due(actions: Sequence[After], command: str) -> list[After]:
    """Return what a picture of this command sets off."""
    return [action for action in actions if not action.commands or command in action.commands]


async def perform(call: Call, action: After) -> UndoAction | None:
    """Do one thing in OBS, and say what is to be undone later; raises ObsError when OBS cannot."""
    if action.scene is not None:
        return await _switch(call, action.scene, action.back_after_s)
    if action.show is not None:
        return await _show(call, action.show)
    if action.filter is not None:
        return await _filter(call, action.filter)
    await call("TriggerHotkeyByName", {"hotkeyName": action.hotkey})
    return None


async def undo(call: Call, one: UndoAction) -> None:
    """Take something back; a scene only if it is still the one on air that was switched to."""
    if one.key[0] == "scene":
        on_air = (await call("GetSceneList", None))["currentProgramSceneName"]
        if on_air != one.key[1]:
            return
    await call(one.request, one.data)


async def _switch(call: Call, scene: str, back_after_s: float | None) -> UndoAction | None:
    before = str((await call("GetSceneList", None))["currentProgramSceneName"])
    if before == scene:
        return None
    await call("SetCurrentProgramScene", {"sceneName": scene})
    if back_after_s is None:
        return None
    return UndoAction(("scene", scene), back_after_s, "SetCurrentProgramScene", {"sceneName": before})


async def _show(call: Call, show: ShowSource) -> UndoAction:
    scene = show.scene or str((await call("GetSceneList", None))["currentProgramSceneName"])
    found = await call("GetSceneItemId", {"sceneName": scene, "sourceName": show.source})
    item = {"sceneName": scene, "sceneItemId": found["sceneItemId"]}
    await call("SetSceneItemEnabled", item | {"sceneItemEnabled": True})
    off = item | {"sceneItemEnabled": False}
    return UndoAction(("show", scene, show.source), show.seconds, "SetSceneItemEnabled", off)


async def _filter(call: Call, chosen: EnableFilter) -> UndoAction | None:
    which = {"sourceName": chosen.source, "filterName": chosen.name}
    await call("SetSourceFilterEnabled", which | {"filterEnabled": True})
    if chosen.seconds is None:
        return None
    off = which | {"filterEnabled": False}
    return UndoAction(("filter", chosen.source, chosen.name), chosen.seconds, "SetSourceFilterEnabled", off)


def said(action: After, error: ObsError) -> str:
    """Name an action that failed, for the log."""
    what = action.model_dump(exclude_none=True, exclude={"commands"})
    return f"OBS did not do what obs.after asks ({what}): {in_words(error)}"
