"""Puts our sources into OBS, or mends them: the same call again changes nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from streamer.errors import ObsError, ObsRefused
from streamer.integrations.obs.connection import ObsAnswer
from streamer.integrations.obs.desired_sources import (
    DesiredSource,
    ExistingSources,
    Input,
    ObsCanvas,
    SourceKind,
    free_name,
    ours,
    repairs,
)
from streamer.integrations.obs.known_sources import KnownSources

log = logging.getLogger(__name__)

Call = Callable[[str, ObsAnswer | None], Awaitable[ObsAnswer]]
Planner = Callable[[SourceKind, ObsCanvas], Sequence[DesiredSource]]

NOT_THERE, NAME_TAKEN, NOT_MADE = 600, 601, 700
GONE_WITHIN_S = 0.5

NO_BROWSER = (
    "this OBS has no browser source (Debian's own package has none): pictures go in as image sources, without "
    "animation; OBS from obsproject.com, its PPA or Flatpak has one"
)
NO_WAY = (
    "this OBS has no browser source (Debian's own package has none) and runs on another machine, where it cannot read "
    "our picture files; install OBS from obsproject.com, its PPA or Flatpak there"
)


@dataclass(frozen=True, slots=True)
class InstallReport:
    """What is in OBS now, and what was done; ``names`` maps the key of a plan to the source's name in OBS."""

    kind: SourceKind
    names: Mapping[str, str]
    layers: Mapping[str, str]
    done: tuple[str, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Item:
    """One place in one scene or group where a source of ours stands."""

    scene: str
    id: int
    transform: ObsAnswer


class Installer:
    """Bring OBS to what the plan says; belongs to one caller at a time."""

    def __init__(self, call: Call, plan: Planner, memory: KnownSources, *, same_machine: bool) -> None:
        self._call, self._plan, self._memory = call, plan, memory
        self._same_machine = same_machine
        self._done: list[str] = []
        self._problems: list[str] = []

    async def find(self) -> InstallReport:
        """Say what of ours is there; nothing is changed but what is remembered."""
        return await self._work(None, place=False)

    async def install(self, scenes: Sequence[str], *, place: bool = False) -> InstallReport:
        """Create what is missing and mend what is wrong; ``place`` also puts everything back where it belongs.

        Without ``scenes`` a source stays where it is, and a new one goes into the scene on air.
        """
        try:
            return await self._work(scenes, place=place)
        except ObsRefused as error:
            if error.code not in (NOT_THERE, NOT_MADE):
                raise
            # OBS still lists a source for a moment after it was deleted.
            await asyncio.sleep(GONE_WITHIN_S)
            return await self._work(scenes, place=place)

    async def _work(self, scenes: Sequence[str] | None, *, place: bool) -> InstallReport:
        self._done, self._problems = [], []
        kind = await self._kind()
        canvas = await self._canvas()
        collection = str((await self._call("GetSceneCollectionList", None))["currentSceneCollectionName"])
        known = dict(self._memory.known(collection))
        wanted = self._plan(kind, canvas)
        inputs = await self._inputs(kind)
        found: dict[str, Input] = {}
        for one in wanted:
            there = ours(one, known.get(one.key), inputs)
            if scenes is not None:
                there = await self._settle(one, there, known.get(one.key), scenes, canvas, place=place)
            if there is not None:
                found[one.key] = there
                inputs = [input_ for input_ in inputs if input_.name != there.name]
                known[one.key] = ExistingSources(there.name, there.uuid, (canvas.width, canvas.height))
        self._memory.keep(collection, known)
        names = {key: one.name for key, one in found.items()}
        layers = {layer: names[one.key] for one in wanted if one.key in names for layer in one.layers}
        return InstallReport(kind, names, layers, tuple(self._done), tuple(self._problems))

    async def _kind(self) -> SourceKind:
        kinds = (await self._call("GetInputKindList", {"unversioned": True}))["inputKinds"]
        if SourceKind.BROWSER in kinds:
            return SourceKind.BROWSER
        if not self._same_machine:
            raise ObsError(NO_WAY)
        self._problems.append(NO_BROWSER)
        return SourceKind.IMAGE

    async def _canvas(self) -> ObsCanvas:
        video = await self._call("GetVideoSettings", None)
        return ObsCanvas(int(video["baseWidth"]), int(video["baseHeight"]))

    async def _inputs(self, kind: SourceKind) -> list[Input]:
        listed = (await self._call("GetInputList", {"inputKind": kind}))["inputs"]
        return [
            Input(
                str(one["inputName"]), str(one.get("inputUuid") or ""),
                (await self._call("GetInputSettings", {"inputName": one["inputName"]}))["inputSettings"],
            )
            for one in listed
        ]  # fmt: skip

    async def _settle(
        self,
        wanted: DesiredSource,
        there: Input | None,
        known: ExistingSources | None,
        scenes: Sequence[str],
        canvas: ObsCanvas,
        *,
        place: bool,
    ) -> Input | None:
        """Bring one source to its settings and into its scenes."""
        if there is not None and (wrong := repairs(wanted, there.settings)):
            data = {"inputName": there.name, "inputSettings": wrong, "overlay": True}
            await self._call("SetInputSettings", data)
            self._done.append(f"'{there.name}' has its settings again: {', '.join(wrong)}")
        items = [] if there is None else await self._items(there.name)
        for scene in await self._scenes(scenes, items):
            if there is None:
                there = await self._create(wanted, scene)
                items = await self._items(there.name)
                await self._place(wanted, items, order=wanted.behind)
            elif scene not in {item.scene for item in items}:
                made = await self._call("CreateSceneItem", {"sceneName": scene, "sourceName": there.name})
                self._done.append(f"'{there.name}' is in the scene '{scene}' now")
                await self._place(wanted, [_Item(scene, int(made["sceneItemId"]), {})], order=wanted.behind)
        await self._put_back(wanted, items, known, canvas, place=place)
        return there

    async def _scenes(self, named: Sequence[str], items: Sequence[_Item]) -> list[str]:
        if not named:
            if items:
                return []
            return [str((await self._call("GetSceneList", None))["currentProgramSceneName"])]
        there = await self._scene_names()
        for missing in [name for name in named if name not in there]:
            problem = f"OBS has no scene '{missing}' (obs.scenes); it has: {', '.join(there)}"
            if problem not in self._problems:
                self._problems.append(problem)
        return [name for name in named if name in there]

    async def _scene_names(self) -> list[str]:
        scenes = (await self._call("GetSceneList", None))["scenes"]
        return [str(scene["sceneName"]) for scene in scenes]

    async def _create(self, wanted: DesiredSource, scene: str) -> Input:
        taken: list[str] = []
        while True:
            name = free_name(wanted.name, taken)
            data = {"sceneName": scene, "inputName": name, "inputKind": wanted.kind, "inputSettings": wanted.settings}
            try:
                made = await self._call("CreateInput", data | {"sceneItemEnabled": True})
            except ObsRefused as error:
                # Scenes, groups and other kinds of sources share one space of names.
                if error.code != NAME_TAKEN or len(taken) > 20:
                    raise
                taken.append(name)
                continue
            self._done.append(f"'{name}' was made in the scene '{scene}'")
            return Input(name, str(made.get("inputUuid") or ""), wanted.settings)

    async def _items(self, name: str) -> list[_Item]:
        """Find every scene and group in which a source stands."""
        found: list[_Item] = []
        for scene in await self._scene_names():
            for item in (await self._call("GetSceneItemList", {"sceneName": scene}))["sceneItems"]:
                if item["sourceName"] == name:
                    found.append(_Item(scene, int(item["sceneItemId"]), item.get("sceneItemTransform") or {}))
                elif item.get("isGroup") and await self._in_group(str(item["sourceName"]), name):
                    # Whoever moved it into a group wants it there; the scene counts as having it.
                    found.append(_Item(scene, -1, {}))
        return found

    async def _in_group(self, group: str, name: str) -> bool:
        items = (await self._call("GetGroupSceneItemList", {"sceneName": group}))["sceneItems"]
        return any(item["sourceName"] == name for item in items)

    async def _put_back(
        self,
        wanted: DesiredSource,
        items: Sequence[_Item],
        known: ExistingSources | None,
        canvas: ObsCanvas,
        *,
        place: bool,
    ) -> None:
        """Place items again when asked to, or when the canvas changed under one that still filled the old one."""
        again = [item for item in items if item.id >= 0 and (place or _filled(item, known, canvas))]
        await self._place(wanted, again, order=place)
        if again:
            self._done.append(f"'{wanted.name}' is in its place again")

    async def _place(self, wanted: DesiredSource, items: Sequence[_Item], *, order: bool) -> None:
        """Put items into their box; ``order`` also moves them to the bottom or the top of their scene."""
        for item in items:
            where = {"sceneName": item.scene, "sceneItemId": item.id}
            await self._call("SetSceneItemTransform", where | {"sceneItemTransform": wanted.box.transform()})
            if order:
                others = (await self._call("GetSceneItemList", {"sceneName": item.scene}))["sceneItems"]
                index = 0 if wanted.behind else len(others) - 1
                await self._call("SetSceneItemIndex", where | {"sceneItemIndex": index})


def _filled(item: _Item, known: ExistingSources | None, canvas: ObsCanvas) -> bool:
    if known is None or known.canvas == (canvas.width, canvas.height):
        return False
    return (item.transform.get("boundsWidth"), item.transform.get("boundsHeight")) == known.canvas
