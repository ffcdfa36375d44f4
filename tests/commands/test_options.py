"""The options of a command: what cannot work is refused with the fix, and each kind has its lowest role."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from streamer.commands.options import CommandOptions, ImageKind
from streamer.types import RequestKind, Role

BACKGROUND = {"kind": "background", "layer": "background"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (BACKGROUND | {"width": 1000}, "1000 is not a multiple of 16, which the model needs; use 992 or 1008"),
        (BACKGROUND | {"height": 4096}, "less than or equal to 2048"),
        (BACKGROUND | {"height": 48}, "greater than or equal to 64"),
        (BACKGROUND | {"template": "wide shot"}, r"must contain \{text\}"),
        (BACKGROUND | {"role": "admin"}, "must be one of viewer, follower, subscriber, vip, moderator, broadcaster"),
        (BACKGROUND | {"role": 5}, "must be one of viewer"),
        (BACKGROUND | {"colour": "red"}, "Extra inputs are not permitted"),
        (BACKGROUND | {"layout": "top_bottom"}, "no other kind uses it"),
        ({"kind": "meme", "layer": "memes"}, "kind meme needs a layout"),
        ({"kind": "background"}, "layer is missing"),
        ({"kind": "undo", "width": 512, "seconds": 3}, "kind undo draws nothing and does not use seconds, width"),
        ({"kind": "dance"}, "Input should be"),
    ],
)
def test_an_entry_that_cannot_work_is_refused_with_the_fix(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CommandOptions.model_validate(entry)


def test_what_viewers_see_is_for_moderators_unless_the_table_says_otherwise() -> None:
    assert CommandOptions(kind="restyle", layer="background").role_needed is Role.MODERATOR
    assert CommandOptions(kind="edit", layer="background", reference="program").role_needed is Role.MODERATOR
    assert CommandOptions(kind="restyle", layer="background", reference="layer").role_needed is Role.VIEWER
    assert CommandOptions(kind="edit", layer="background").role_needed is Role.VIEWER
    with pytest.raises(ValidationError, match="only kinds edit and restyle use reference"):
        CommandOptions(kind="background", layer="background", reference="program")


def test_every_kind_that_draws_makes_a_request_and_a_restyle_makes_an_edit() -> None:
    assert [kind.request_kind for kind in ImageKind] == [*RequestKind, RequestKind.EDIT]
