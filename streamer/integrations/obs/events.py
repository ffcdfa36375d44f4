"""Turns what OBS tells into what the program understands: scenes, going live, recording."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.integrations.obs.connection import ObsAnswer, ObsEvent
from streamer.types import Notice, NoticeKind

SOURCE = "obs"

_STREAM = {"OBS_WEBSOCKET_OUTPUT_STARTED": NoticeKind.ONLINE, "OBS_WEBSOCKET_OUTPUT_STOPPED": NoticeKind.OFFLINE}
_RECORD = {
    "OBS_WEBSOCKET_OUTPUT_STARTED": NoticeKind.RECORDING_ON, "OBS_WEBSOCKET_OUTPUT_STOPPED": NoticeKind.RECORDING_OFF
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ObsState:
    """What OBS does: the scene that viewers see, and whether it streams and records."""

    scene: str = ""
    streaming: bool = False
    recording: bool = False

    @property
    def live(self) -> bool:
        """Tell whether anybody sees, or will see, what OBS shows."""
        return self.streaming or self.recording


def notice_of(event: ObsEvent, at: float) -> Notice | None:
    """Say what an event means, None for everything else; an output that only starts is not on yet."""
    if event.name == "CurrentProgramSceneChanged":
        return Notice(SOURCE, NoticeKind.SCENE, at, text=str(event.data.get("sceneName", "")))
    table = {"StreamStateChanged": _STREAM, "RecordStateChanged": _RECORD}.get(event.name, {})
    kind = table.get(str(event.data.get("outputState", "")))
    return None if kind is None else Notice(SOURCE, kind, at)


def after(air: ObsState, notice: Notice) -> ObsState:
    """Return what OBS does once a notice has come."""
    kind = notice.kind
    return ObsState(
        notice.text if kind is NoticeKind.SCENE else air.scene,
        {NoticeKind.ONLINE: True, NoticeKind.OFFLINE: False}.get(kind, air.streaming),
        {NoticeKind.RECORDING_ON: True, NoticeKind.RECORDING_OFF: False}.get(kind, air.recording),
    )


def state_of(scenes: ObsAnswer, stream: ObsAnswer, record: ObsAnswer) -> ObsState:
    """Read what OBS does from its answers to GetSceneList, GetStreamStatus and GetRecordStatus."""
    return ObsState(
        str(scenes.get("currentProgramSceneName") or ""),
        bool(stream.get("outputActive")) and not stream.get("outputReconnecting"),
        bool(record.get("outputActive")),
    )


def changes(before: ObsState, now: ObsState, at: float) -> list[Notice]:
    """Say what happened while nobody listened."""
    notices = []
    if now.scene != before.scene:
        notices.append(Notice(SOURCE, NoticeKind.SCENE, at, text=now.scene))
    if now.streaming != before.streaming:
        notices.append(Notice(SOURCE, NoticeKind.ONLINE if now.streaming else NoticeKind.OFFLINE, at))
    if now.recording != before.recording:
        kind = NoticeKind.RECORDING_ON if now.recording else NoticeKind.RECORDING_OFF
        notices.append(Notice(SOURCE, kind, at))
    return notices
