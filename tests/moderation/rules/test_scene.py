"""The rule `scene`: what each scene opens, which style it has, and that only the streamer passes a closed one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from streamer.moderation.rules.scene import Options, SceneRule, create
from streamer.types import Actor, ImageRequest, Lane, Notice, NoticeKind, RequestKind, Role, SamplingParams

REQUEST = ImageRequest(
    "r", "bg", RequestKind.BACKGROUND, "background", "a", "a", SamplingParams(64, 64, 4, 1.0, 1),
    Actor("ann", "ann", Role.VIEWER), Lane.CHAT, 0.0, 30.0,
)  # fmt: skip
OWN = replace(REQUEST, actor=Actor("me", "me", Role.BROADCASTER), priority=Lane.BROADCASTER)
SCENES = {
    "Game": {"commands": ["sticker", "meme"]},
    "Break": {"quiet": True},
    "Cozy": {"style": "watercolour"},
    "Nothing": {"commands": []},
}


def rule(scene: str = "", live_only: bool = False) -> SceneRule:
    built = create(Options.model_validate({"scenes": SCENES, "live_only": live_only}))
    if scene:
        built.observe(Notice("obs", NoticeKind.SCENE, 1.0, text=scene), 1.0)
    return built


def why(built: SceneRule, command: str = "bg") -> str:
    refusal = built.check(replace(REQUEST, command=command), 2.0)
    assert built.may_draw(replace(REQUEST, command=command)) is (refusal is None)
    return refusal.reason if refusal else ""


@pytest.mark.parametrize(
    ("scene", "command", "reason"),
    [
        ("", "bg", ""),
        ("Elsewhere", "bg", ""),
        ("Cozy", "bg", ""),
        ("Game", "meme", ""),
        ("Game", "bg", "this command is closed in this scene; open: sticker, meme"),
        ("Nothing", "bg", "this command is closed in this scene"),
        ("Break", "sticker", "no pictures in this scene, try again later"),
    ],
)
def test_each_scene_opens_what_it_lists(scene: str, command: str, reason: str) -> None:
    assert why(rule(scene), command) == reason


@pytest.mark.parametrize("scene", list(SCENES))
def test_the_streamer_draws_in_any_scene_and_off_the_air(scene: str) -> None:
    built = rule(scene, live_only=True)
    built.observe(Notice("obs", NoticeKind.OFFLINE, 1.0), 1.0)
    assert built.check(OWN, 2.0) is None
    assert built.may_draw(OWN)


def test_a_paid_request_is_refused_as_well_so_that_it_can_be_refunded() -> None:
    assert rule("Break").check(replace(REQUEST, priority=Lane.PAID), 2.0) is not None


def test_a_scene_opens_again_when_it_is_left() -> None:
    built = rule("Break")
    built.observe(Notice("obs", NoticeKind.SCENE, 2.0, text="Main"), 2.0)
    assert why(built) == ""


def test_while_the_stream_is_off_viewers_are_refused_if_configured() -> None:
    heard = []
    for live_only in (True, False):
        built = rule(live_only=live_only)
        for kind in (NoticeKind.OFFLINE, NoticeKind.RAID, NoticeKind.ONLINE):
            built.observe(Notice("twitch", kind, 1.0), 1.0)
            heard.append(why(built))
    assert heard == ["pictures can be requested when the stream is live"] * 2 + [""] * 4


def test_commands_are_open_until_a_source_reports_the_stream() -> None:
    assert why(rule(live_only=True)) == ""


def test_a_scene_brings_its_style_and_leaving_it_takes_it_along() -> None:
    assert [rule(scene).style for scene in ("", "Cozy", "Game", "Elsewhere")] == [None, "watercolour", None, None]


def test_names_of_styles_and_commands_can_be_checked_at_the_start() -> None:
    assert (list(rule().styles), list(rule().commands)) == (["watercolour"], ["sticker", "meme"])


@pytest.mark.parametrize("wrong", [{"scenes": {"a": {"colour": 1}}}, {"scenes": 3}, {"quiet": True}])
def test_senseless_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)
