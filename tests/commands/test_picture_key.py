"""Two requests are for the same picture when all but the seed and the asker is equal; viewers' unpaid ones share it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.commands.picture_key import is_shareable, picture_key
from streamer.types import Actor, Caption, Lane, RequestKind, Role
from tests.support.examples import REQUEST


def test_the_seed_the_asker_and_the_words_typed_do_not_count() -> None:
    other = replace(
        REQUEST,
        id="r2",
        text="something else",
        actor=Actor("9", "Ben", Role.VIP),
        params=replace(REQUEST.params, seed=8),
    )
    assert picture_key(other) == picture_key(REQUEST)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": RequestKind.STICKER},
        {"layer": "meme"},
        {"prompt": "another harbour"},
        {"params": replace(REQUEST.params, width=64)},
        {"params": replace(REQUEST.params, guidance_scale=2.0)},
        {"caption": Caption("", "monday", "top_bottom")},
        {"reference": b"picture"},
    ],
)
def test_what_changes_the_picture_counts(change: dict[str, object]) -> None:
    assert picture_key(replace(REQUEST, **change)) != picture_key(REQUEST)  # type: ignore[arg-type]


def test_viewers_share_and_those_who_paid_moderators_and_views_of_the_stream_do_not() -> None:
    moderator = Actor("1", "mod", Role.MODERATOR)
    assert is_shareable(REQUEST)
    assert not is_shareable(replace(REQUEST, priority=Lane.PAID))
    assert not is_shareable(replace(REQUEST, actor=moderator))
    assert not is_shareable(replace(REQUEST, of_program=True))
