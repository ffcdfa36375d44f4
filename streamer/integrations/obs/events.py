"""Translates events and answers of OBS into the program's notices: scene changes, going live, recording."""

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
    """What OBS does: which scene is on air, and whether it streams and records."""

    scene: str = ""
    streaming: bool = False
    recording: bool = False

    @property
    def live(self) -> bool:
        """Tell whether viewers see, or will see, what OBS shows."""
        return self.streaming or self.recording


def notice_from_event(event: ObsEvent, at: float) -> Notice | None:
    """Return the notice for an event, None for every other event; an output that is starting is not live yet."""
    if event.name == "CurrentProgramSceneChanged":
        return Notice(SOURCE, NoticeKind.SCENE, at, text=str(event.data.get("sceneName", "")))
    kinds = {"StreamStateChanged": _STREAM, "RecordStateChanged": _RECORD}.get(event.name, {})
    kind = kinds.get(str(event.data.get("outputState", "")))
    return None if kind is None else Notice(SOURCE, kind, at)


def apply_notice(state: ObsState, notice: Notice) -> ObsState:
    """Return the state of OBS after a notice."""
    kind = notice.kind
    return ObsState(
        notice.text if kind is NoticeKind.SCENE else state.scene,
        {NoticeKind.ONLINE: True, NoticeKind.OFFLINE: False}.get(kind, state.streaming),
        {NoticeKind.RECORDING_ON: True, NoticeKind.RECORDING_OFF: False}.get(kind, state.recording),
    )


def state_from_answers(scenes: ObsAnswer, stream: ObsAnswer, record: ObsAnswer) -> ObsState:
    """Read the state of OBS from its answers to GetSceneList, GetStreamStatus and GetRecordStatus."""
    return ObsState(
        str(scenes.get("currentProgramSceneName") or ""),
        bool(stream.get("outputActive")) and not stream.get("outputReconnecting"),
        bool(record.get("outputActive")),
    )


def missed_notices(before: ObsState, now: ObsState, at: float) -> list[Notice]:
    """Return the notices for what changed while the program was not connected."""
    notices = []
    if now.scene != before.scene:
        notices.append(Notice(SOURCE, NoticeKind.SCENE, at, text=now.scene))
    if now.streaming != before.streaming:
        notices.append(Notice(SOURCE, NoticeKind.ONLINE if now.streaming else NoticeKind.OFFLINE, at))
    if now.recording != before.recording:
        kind = NoticeKind.RECORDING_ON if now.recording else NoticeKind.RECORDING_OFF
        notices.append(Notice(SOURCE, kind, at))
    return notices
