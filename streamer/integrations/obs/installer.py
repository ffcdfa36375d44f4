"""Creates and repairs our sources in OBS; running it again changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from streamer.errors import ObsError, ObsRefused
from streamer.integrations.obs.connection import ObsStatus
from streamer.integrations.obs.desired_sources import (
    DesiredSource,
    KnownSource,
    ObsCanvas,
    ObsInput,
    SourceKind,
    find_ours,
    free_name,
    wrong_settings,
)
from streamer.integrations.obs.known_sources import KnownSources
from streamer.integrations.obs.scene_items import IN_GROUP, ObsCall, SceneItem, SceneItems

Planner = Callable[[SourceKind, ObsCanvas], Sequence[DesiredSource]]

DELETED_WITHIN_S = 0.5
"""OBS still lists a source for a moment after it was deleted."""
MAX_NAMES_TRIED = 20

NO_BROWSER_SOURCE = (
    "this OBS has no browser source (Debian's own package has none): pictures go in as image sources, without "
    "animation; OBS from obsproject.com, its PPA or Flatpak has one"
)
NO_WAY_TO_SHOW = (
    "this OBS has no browser source (Debian's own package has none) and runs on another machine, where it cannot read "
    "our picture files; install OBS from obsproject.com, its PPA or Flatpak there"
)


@dataclass(frozen=True, slots=True)
class InstallReport:
    """Which of our sources are in OBS now, and what was changed.

    ``names`` maps the key of a desired source to its name in OBS, ``layers`` maps a layer to the name of its source.
    """

    kind: SourceKind
    names: Mapping[str, str]
    layers: Mapping[str, str]
    changes: tuple[str, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Task:
    """What one run is to do: only look (``scenes`` is None), or install; ``place`` also moves items back."""

    scenes: Sequence[str] | None
    place: bool
    canvas: ObsCanvas
    known: Mapping[str, KnownSource]


class Installer:
    """Bring OBS to the planned state; belongs to one caller at a time."""

    def __init__(self, call: ObsCall, plan: Planner, known_sources: KnownSources, *, same_machine: bool) -> None:
        self._call, self._plan, self._known_sources = call, plan, known_sources
        self._items = SceneItems(call)
        self._same_machine = same_machine
        self._changes: list[str] = []
        self._problems: list[str] = []

    async def find(self) -> InstallReport:
        """Report which of our sources are there; only what is remembered about them may change."""
        return await self._reconcile(None, place=False)

    async def install(self, scenes: Sequence[str], *, place: bool = False) -> InstallReport:
        """Create what is missing and repair what is wrong; ``place`` also moves every item back to its place.

        Without ``scenes`` a source stays in the scenes it is in, and a new one goes into the scene on air.
        """
        try:
            return await self._reconcile(scenes, place=place)
        except ObsRefused as error:
            if error.code not in (ObsStatus.NOT_FOUND, ObsStatus.CREATION_FAILED):
                raise
            await asyncio.sleep(DELETED_WITHIN_S)
            return await self._reconcile(scenes, place=place)

    async def _reconcile(self, scenes: Sequence[str] | None, *, place: bool) -> InstallReport:
        self._changes, self._problems = [], []
        kind = await self._kind()
        canvas = await self._canvas()
        collection = str((await self._call("GetSceneCollectionList", None))["currentSceneCollectionName"])
        known = dict(self._known_sources.known(collection))
        task = _Task(scenes, place, canvas, dict(known))
        desired_sources = self._plan(kind, canvas)
        inputs = await self._inputs(kind)
        names: dict[str, str] = {}
        for desired in desired_sources:
            source = find_ours(desired, known.get(desired.key), inputs)
            if scenes is not None:
                source = await self._reconcile_source(desired, source, task)
            if source is not None:
                names[desired.key] = source.name
                inputs = [other for other in inputs if other.name != source.name]
                known[desired.key] = KnownSource(source.name, source.uuid, (canvas.width, canvas.height))
        self._known_sources.remember(collection, known)
        layers = {layer: names[desired.key] for desired in desired_sources if desired.key in names
                  for layer in desired.layers}  # fmt: skip
        return InstallReport(kind, names, layers, tuple(self._changes), tuple(self._problems))

    async def _kind(self) -> SourceKind:
        kinds = (await self._call("GetInputKindList", {"unversioned": True}))["inputKinds"]
        if SourceKind.BROWSER in kinds:
            return SourceKind.BROWSER
        if not self._same_machine:
            raise ObsError(NO_WAY_TO_SHOW)
        self._problems.append(NO_BROWSER_SOURCE)
        return SourceKind.IMAGE

    async def _canvas(self) -> ObsCanvas:
        video = await self._call("GetVideoSettings", None)
        return ObsCanvas(int(video["baseWidth"]), int(video["baseHeight"]))

    async def _inputs(self, kind: SourceKind) -> list[ObsInput]:
        inputs: list[ObsInput] = []
        for listed in (await self._call("GetInputList", {"inputKind": kind}))["inputs"]:
            answer = await self._call("GetInputSettings", {"inputName": listed["inputName"]})
            uuid = str(listed.get("inputUuid") or "")
            inputs.append(ObsInput(str(listed["inputName"]), uuid, answer["inputSettings"]))
        return inputs

    async def _reconcile_source(self, desired: DesiredSource, source: ObsInput | None, task: _Task) -> ObsInput | None:
        """Repair the settings of one source and show it in its scenes; create it if it is missing."""
        if source is not None:
            await self._repair_settings(desired, source)
        items = [] if source is None else await self._items.showing(source.name)
        for scene in await self._target_scenes(task.scenes or (), items):
            if source is None:
                source = await self._create(desired, scene)
                items = await self._items.showing(source.name)
                await self._items.place(desired, items, reorder=desired.behind)
            elif scene not in {item.scene for item in items}:
                item = await self._items.create(scene, source.name)
                self._changes.append(f"'{source.name}' was added to the scene '{scene}'")
                await self._items.place(desired, [item], reorder=desired.behind)
        await self._restore_places(desired, items, task)
        return source

    async def _repair_settings(self, desired: DesiredSource, source: ObsInput) -> None:
        if settings := wrong_settings(desired, source.settings):
            data = {"inputName": source.name, "inputSettings": settings, "overlay": True}
            await self._call("SetInputSettings", data)
            self._changes.append(f"'{source.name}': restored its settings {', '.join(settings)}")

    async def _target_scenes(self, names: Sequence[str], items: Sequence[SceneItem]) -> list[str]:
        if not names:
            return [] if items else [await self._items.program_scene()]
        existing = await self._items.scenes()
        for missing in [name for name in names if name not in existing]:
            problem = f"OBS has no scene '{missing}' (obs.scenes); it has: {', '.join(existing)}"
            if problem not in self._problems:
                self._problems.append(problem)
        return [name for name in names if name in existing]

    async def _create(self, desired: DesiredSource, scene: str) -> ObsInput:
        taken: list[str] = []
        settings = {"inputKind": desired.kind, "inputSettings": desired.settings, "sceneItemEnabled": True}
        while True:
            name = free_name(desired.name, taken)
            try:
                created = await self._call("CreateInput", {"sceneName": scene, "inputName": name} | settings)
            except ObsRefused as error:
                # Scenes, groups and all kinds of sources share one set of names.
                if error.code != ObsStatus.NAME_TAKEN or len(taken) > MAX_NAMES_TRIED:
                    raise
                taken.append(name)
                continue
            self._changes.append(f"'{name}' was created in the scene '{scene}'")
            return ObsInput(name, str(created.get("inputUuid") or ""), desired.settings)

    async def _restore_places(self, desired: DesiredSource, items: Sequence[SceneItem], task: _Task) -> None:
        """Place items again when asked to, or when the canvas changed under one that filled the old canvas."""
        known = task.known.get(desired.key)
        moved = [
            item
            for item in items
            if item.id != IN_GROUP and (task.place or _filled_old_canvas(item, known, task.canvas))
        ]
        await self._items.place(desired, moved, reorder=task.place)
        if moved:
            self._changes.append(f"'{desired.name}' is back in its place")


def _filled_old_canvas(item: SceneItem, known: KnownSource | None, canvas: ObsCanvas) -> bool:
    if known is None or known.canvas == (canvas.width, canvas.height):
        return False
    return (item.transform.get("boundsWidth"), item.transform.get("boundsHeight")) == known.canvas
