"""Reads and changes the scenes of OBS: which scenes show a source, and where it is placed in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from streamer.integrations.obs.connection import ObsAnswer
from streamer.integrations.obs.desired_sources import DesiredSource

ObsCall = Callable[[str, ObsAnswer | None], Awaitable[ObsAnswer]]
"""Sends one request to OBS and returns its answer; raises ObsAway or ObsRefused."""

IN_GROUP = -1


@dataclass(frozen=True, slots=True)
class SceneItem:
    """One place in a scene where a source is shown; ``id`` is IN_GROUP when a group of that scene shows it."""

    scene: str
    id: int
    transform: ObsAnswer


class SceneItems:
    """Find and place the items that show our sources."""

    def __init__(self, call: ObsCall) -> None:
        self._call = call

    async def scenes(self) -> list[str]:
        """Return the names of all scenes."""
        return [str(scene["sceneName"]) for scene in (await self._call("GetSceneList", None))["scenes"]]

    async def program_scene(self) -> str:
        """Return the name of the scene on air."""
        return str((await self._call("GetSceneList", None))["currentProgramSceneName"])

    async def showing(self, source: str) -> list[SceneItem]:
        """Return every scene item that shows a source."""
        items: list[SceneItem] = []
        for scene in await self.scenes():
            for listed in (await self._call("GetSceneItemList", {"sceneName": scene}))["sceneItems"]:
                if listed["sourceName"] == source:
                    transform = listed.get("sceneItemTransform") or {}
                    items.append(SceneItem(scene, int(listed["sceneItemId"]), transform))
                elif listed.get("isGroup") and await self._group_shows(str(listed["sourceName"]), source):
                    # The streamer moved it into a group on purpose: this scene needs no other item.
                    items.append(SceneItem(scene, IN_GROUP, {}))
        return items

    async def create(self, scene: str, source: str) -> SceneItem:
        """Show an existing source in another scene."""
        created = await self._call("CreateSceneItem", {"sceneName": scene, "sourceName": source})
        return SceneItem(scene, int(created["sceneItemId"]), {})

    async def place(self, desired: DesiredSource, items: Sequence[SceneItem], *, reorder: bool) -> None:
        """Move items to the box of ``desired``; ``reorder`` also moves them to the bottom or the top of their scene."""
        for item in items:
            reference = {"sceneName": item.scene, "sceneItemId": item.id}
            await self._call("SetSceneItemTransform", reference | {"sceneItemTransform": desired.box.transform()})
            if reorder:
                all_items = (await self._call("GetSceneItemList", {"sceneName": item.scene}))["sceneItems"]
                index = 0 if desired.behind else len(all_items) - 1
                await self._call("SetSceneItemIndex", reference | {"sceneItemIndex": index})

    async def _group_shows(self, group: str, source: str) -> bool:
        items = (await self._call("GetGroupSceneItemList", {"sceneName": group}))["sceneItems"]
        return any(item["sourceName"] == source for item in items)
