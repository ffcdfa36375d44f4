"""Opens and closes commands by the scene in OBS: some scenes allow some commands, quiet ones none.

The streamer's own requests always pass. The rule is asked again before a waiting request is drawn, so a quiet scene
stays quiet. A scene that is not listed is open, and so is the start, before any scene is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import BaseModel, ConfigDict, Field

from streamer.interfaces import Rule
from streamer.types import ImageRequest, Notice, NoticeKind, Refusal, Role


class SceneOptions(BaseModel):
    """What one scene allows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commands: tuple[str, ...] | None = Field(None, description="only these drawing commands are open; left out: all")
    quiet: bool = Field(
        False, description="true: refuse viewers' requests; queued ones are drawn when the scene changes"
    )
    style: str | None = Field(
        None, min_length=1, description="this style is on until !style or another scene changes it"
    )


class Options(BaseModel):
    """What each scene allows, by its name in OBS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenes: Mapping[str, SceneOptions] = Field(
        {}, description="rules for scenes, by their names in OBS; every other scene is open"
    )
    live_only: bool = Field(False, description="true: viewers may ask only while the stream is live")


_OPEN = SceneOptions()


def reason_closed(request: ImageRequest, scene: SceneOptions, live: bool, live_only: bool) -> str:
    """Return why a request cannot be drawn now; empty if it can."""
    if request.actor.role is Role.BROADCASTER:
        return ""
    if live_only and not live:
        return "pictures can be requested when the stream is live"
    if scene.quiet:
        return "no pictures in this scene, try again later"
    if scene.commands is not None and request.command not in scene.commands:
        allowed = ", ".join(scene.commands)
        return f"this command is closed in this scene{'; open: ' + allowed if allowed else ''}"[:200]
    return ""


class SceneRule(Rule):
    """Remember the scene, and whether the stream is live, as sources report them."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._scene = _OPEN
        self._live = True

    @property
    def style(self) -> str | None:
        """Return the style that this scene asks for."""
        return self._scene.style

    @property
    def styles(self) -> Collection[str]:
        """Return every style that any scene asks for."""
        return [scene.style for scene in self._options.scenes.values() if scene.style]

    @property
    def commands(self) -> Collection[str]:
        """Return every command that any scene names."""
        return [name for scene in self._options.scenes.values() for name in scene.commands or ()]

    def observe(self, notice: Notice, now: float) -> None:
        """Remember the scene, or whether the stream is live."""
        if notice.kind is NoticeKind.SCENE:
            self._scene = self._options.scenes.get(notice.text, _OPEN)
        elif notice.kind in (NoticeKind.ONLINE, NoticeKind.OFFLINE):
            self._live = notice.kind is NoticeKind.ONLINE

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse a request that the scene of this moment does not allow."""
        reason = self._reason_closed(request)
        return Refusal(request.id, "scene", reason) if reason else None

    def may_draw(self, request: ImageRequest) -> bool:
        """Tell whether the scene of this moment allows a waiting request."""
        return not self._reason_closed(request)

    def _reason_closed(self, request: ImageRequest) -> str:
        return reason_closed(request, self._scene, self._live, self._options.live_only)


def create(options: Options) -> SceneRule:
    """Build the rule."""
    return SceneRule(options)
