"""A value that is not one of the open choices is refused with the list of them."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from streamer.commands.choices import one_of
from streamer.types import NoticeKind

CHOICE = TypeAdapter(Annotated[NoticeKind, *one_of((NoticeKind.RAID, NoticeKind.CHEER))])


def test_the_value_of_an_open_member_becomes_the_member() -> None:
    assert CHOICE.validate_python("raid") is NoticeKind.RAID
    assert CHOICE.validate_python(NoticeKind.CHEER) is NoticeKind.CHEER


@pytest.mark.parametrize("value", ["online", "RAID", "", 5, ["raid"], None])
def test_anything_else_is_refused_with_the_choices(value: object) -> None:
    with pytest.raises(ValidationError, match="use one of raid, cheer"):
        CHOICE.validate_python(value)


def test_an_editor_is_offered_the_open_choices() -> None:
    assert CHOICE.json_schema() == {"enum": ["raid", "cheer"]}
