"""Performs what ``obs.after`` asks for once a picture is on air, and undoes it later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.errors import ObsError, in_words
from streamer.integrations.obs.config import AfterAction, EnableFilter, ShowSource
from streamer.integrations.obs.connection import ObsAnswer
from streamer.integrations.obs.scene_items import ObsCall


@dataclass(frozen=True, slots=True)
class UndoAction:
    """A request that undoes an action ``after_s`` seconds later; a newer one with the same ``key`` replaces it."""

    key: tuple[str, ...]
    after_s: float
    request: str
    data: ObsAnswer


def matching_actions(actions: Sequence[AfterAction], command: str) -> list[AfterAction]:
    """Return the actions that a picture of this command triggers."""
    return [action for action in actions if not action.commands or command in action.commands]


async def perform(call: ObsCall, action: AfterAction) -> UndoAction | None:
    """Perform one action in OBS and return what undoes it later, if anything; raises ObsError when OBS cannot."""
    if action.scene is not None:
        return await _switch_scene(call, action.scene, action.back_after_s)
    if action.show is not None:
        return await _show_source(call, action.show)
    if action.filter is not None:
        return await _enable_filter(call, action.filter)
    await call("TriggerHotkeyByName", {"hotkeyName": action.hotkey})
    return None


async def undo(call: ObsCall, action: UndoAction) -> None:
    """Undo an action; a change of scene only if the scene that was switched to is still on air."""
    if action.key[0] == "scene" and await _program_scene(call) != action.key[1]:
        return
    await call(action.request, action.data)


async def _program_scene(call: ObsCall) -> str:
    return str((await call("GetSceneList", None))["currentProgramSceneName"])


async def _switch_scene(call: ObsCall, scene: str, back_after_s: float | None) -> UndoAction | None:
    before = await _program_scene(call)
    if before == scene:
        return None
    await call("SetCurrentProgramScene", {"sceneName": scene})
    if back_after_s is None:
        return None
    return UndoAction(("scene", scene), back_after_s, "SetCurrentProgramScene", {"sceneName": before})


async def _show_source(call: ObsCall, show: ShowSource) -> UndoAction:
    scene = show.scene or await _program_scene(call)
    answer = await call("GetSceneItemId", {"sceneName": scene, "sourceName": show.source})
    item = {"sceneName": scene, "sceneItemId": answer["sceneItemId"]}
    await call("SetSceneItemEnabled", item | {"sceneItemEnabled": True})
    hidden = item | {"sceneItemEnabled": False}
    return UndoAction(("show", scene, show.source), show.seconds, "SetSceneItemEnabled", hidden)


async def _enable_filter(call: ObsCall, enable: EnableFilter) -> UndoAction | None:
    source_filter = {"sourceName": enable.source, "filterName": enable.name}
    await call("SetSourceFilterEnabled", source_filter | {"filterEnabled": True})
    if enable.seconds is None:
        return None
    disabled = source_filter | {"filterEnabled": False}
    return UndoAction(("filter", enable.source, enable.name), enable.seconds, "SetSourceFilterEnabled", disabled)


def failure_message(action: AfterAction, error: ObsError) -> str:
    """Describe an action that failed, for the log."""
    described = action.model_dump(exclude_none=True, exclude={"commands"})
    return f"OBS did not perform an action of obs.after ({described}): {in_words(error)}"
