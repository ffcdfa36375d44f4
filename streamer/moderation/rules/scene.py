"""Opens commands by what is on air in OBS: which in which scene, none in quiet ones, and none while nobody is live.

The streamer's own requests are never held up. A request that waits while the scene changes is asked about again before
it is drawn, so a quiet scene stays quiet. A scene that nobody has reported yet, or that is not listed, is open.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import BaseModel, ConfigDict, Field

from streamer.interfaces import Rule
from streamer.types import ImageRequest, Notice, NoticeKind, Refusal, Role


class Scene(BaseModel):
    """What is different in one scene."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commands: tuple[str, ...] | None = Field(None, description="only these drawing commands are open; left out: all")
    quiet: bool = Field(False, description="true: nothing from viewers; what waits is drawn when the scene changes")
    style: str | None = Field(
        None, min_length=1, description="this style is on until !style or another scene changes it"
    )


class Options(BaseModel):
    """What is different in which scene, by its name in OBS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenes: Mapping[str, Scene] = Field(
        {}, description="rules for scenes, by their names in OBS; every other scene is open"
    )
    live_only: bool = Field(False, description="true: viewers may ask only while the stream is live")


def style_of(scenes: Mapping[str, Scene], name: str) -> str | None:
    """Return the style that a scene asks for."""
    scene = scenes.get(name)
    return scene.style if scene else None


def closed(request: ImageRequest, scene: Scene, live: bool, live_only: bool) -> str:
    """Say why a request cannot come now; empty when it can."""
    if request.actor.role is Role.BROADCASTER:
        return ""
    if live_only and not live:
        return "pictures open when the stream is live"
    if scene.quiet:
        return "no pictures in this scene, try again later"
    if scene.commands is not None and request.command not in scene.commands:
        open_ones = ", ".join(scene.commands)
        return f"this command is closed in this scene{'; open: ' + open_ones if open_ones else ''}"[:200]
    return ""


class SceneRule(Rule):
    """Remember scene and stream state as they are heard of."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._scene = ""
        self._live = True

    @property
    def style(self) -> str | None:
        """Name the style that this scene asks for."""
        return style_of(self._options.scenes, self._scene)

    @property
    def styles(self) -> Collection[str]:
        """Name every style that any scene asks for."""
        return [scene.style for scene in self._options.scenes.values() if scene.style]

    @property
    def commands(self) -> Collection[str]:
        """Name every command that any scene opens."""
        return [name for scene in self._options.scenes.values() for name in scene.commands or ()]

    def observe(self, notice: Notice, now: float) -> None:
        """Note the scene, and whether the stream is on."""
        if notice.kind is NoticeKind.SCENE:
            self._scene = notice.text
        elif notice.kind in (NoticeKind.ONLINE, NoticeKind.OFFLINE):
            self._live = notice.kind is NoticeKind.ONLINE

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse what is closed now."""
        reason = self._closed(request)
        return Refusal(request.id, "scene", reason) if reason else None

    def may_draw(self, request: ImageRequest) -> bool:
        """Tell whether a request that was let in may be drawn in the scene of this moment."""
        return not self._closed(request)

    def _closed(self, request: ImageRequest) -> str:
        scene = self._options.scenes.get(self._scene, _OPEN)
        return closed(request, scene, self._live, self._options.live_only)


_OPEN = Scene()


def create(options: Options) -> SceneRule:
    """Build the rule."""
    return SceneRule(options)
