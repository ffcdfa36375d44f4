"""Scenes, going live and recording, from the events and answers of OBS."""

from __future__ import annotations

import pytest

from streamer.integrations.obs.connection import ObsEvent
from streamer.integrations.obs.events import (
    ObsState,
    apply_notice,
    missed_notices,
    notice_from_event,
    state_from_answers,
)
from streamer.types import Notice, NoticeKind


@pytest.mark.parametrize(
    ("event", "state", "kind"),
    [
        ("StreamStateChanged", "STARTING", None),
        ("StreamStateChanged", "STARTED", NoticeKind.ONLINE),
        ("StreamStateChanged", "STOPPING", None),
        ("StreamStateChanged", "STOPPED", NoticeKind.OFFLINE),
        ("RecordStateChanged", "STARTED", NoticeKind.RECORDING_ON),
        ("RecordStateChanged", "PAUSED", None),
        ("RecordStateChanged", "STOPPED", NoticeKind.RECORDING_OFF),
        ("VirtualcamStateChanged", "STARTED", None),
    ],
)
def test_starting_is_not_yet_on(event: str, state: str, kind: NoticeKind | None) -> None:
    notice = notice_from_event(ObsEvent(event, {"outputState": f"OBS_WEBSOCKET_OUTPUT_{state}"}), 5.0)
    assert notice == (None if kind is None else Notice("obs", kind, 5.0))


def test_a_change_of_scene_is_a_notice_with_its_name() -> None:
    notice = notice_from_event(ObsEvent("CurrentProgramSceneChanged", {"sceneName": "Break"}), 1.0)
    assert notice == Notice("obs", NoticeKind.SCENE, 1.0, text="Break")
    assert notice is not None
    assert apply_notice(ObsState("Live", streaming=True), notice) == ObsState("Break", streaming=True)


def test_changes_while_disconnected_become_notices() -> None:
    before = ObsState("Live", streaming=True)
    now = state_from_answers({"currentProgramSceneName": "Break"}, {"outputActive": False}, {"outputActive": True})
    assert [notice.kind for notice in missed_notices(before, now, 0.0)] == ["scene", "offline", "recording_on"]
    assert missed_notices(now, now, 0.0) == []


def test_a_stream_that_reconnects_is_not_live() -> None:
    assert not state_from_answers({}, {"outputActive": True, "outputReconnecting": True}, {}).live


def test_events_without_their_data_mean_nothing() -> None:
    assert notice_from_event(ObsEvent("StreamStateChanged", {}), 0.0) is None
