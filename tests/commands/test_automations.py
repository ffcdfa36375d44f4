"""Automations: a notice runs what is written for its kind, a scene's own entry first; unknown events are refused."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from streamer.commands.automations import Automations, automation_for
from streamer.types import Notice, NoticeKind


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        (NoticeKind.ONLINE, "", "warm"),
        (NoticeKind.OFFLINE, "", None),
        (NoticeKind.SCENE, "Game", "free"),
        (NoticeKind.SCENE, "Main", "next"),
        (NoticeKind.RAID, "Game", None),
    ],
)
def test_a_notice_runs_what_is_written_for_it(kind: NoticeKind, text: str, name: str | None) -> None:
    automations = {"online": "warm", "scene": "next", "scene Game": "free"}
    assert automation_for(automations, Notice("obs", kind, 0.0, text=text)) == name


@pytest.mark.parametrize("event", ["sunset", "scene ", "scene", "ONLINE"])
def test_an_unknown_event_is_refused(event: str) -> None:
    check = TypeAdapter(Automations).validate_python
    if event == "scene":
        assert check({event: "next"})
    else:
        with pytest.raises(ValidationError, match=r"unknown event .*; use one of raid"):
            check({event: "next"})
