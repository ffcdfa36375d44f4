"""The shared values are frozen and comparable, and can travel to another process."""

from __future__ import annotations

import dataclasses
import inspect
import pickle

import pytest

from streamer import types
from streamer.types import Actor, Caption, Frame, ImageRequest, Lane, RequestKind, RequestState, Role, SamplingParams

VALUES = [value for _, value in inspect.getmembers(types, dataclasses.is_dataclass)]


@pytest.mark.parametrize("value", VALUES)
def test_every_value_is_frozen_and_slotted(value: type) -> None:
    assert value.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(value, "__slots__")


def test_a_request_travels_to_another_process_unchanged() -> None:
    request = ImageRequest(
        "r", "meme", RequestKind.MEME, "meme", "cat", "cat", SamplingParams(64, 64, 4, 1.0, 7),
        Actor("1", "Ann", Role.VIP), Lane.PAID, 1.0, 2.0,
        caption=Caption("top", "bottom", "top_bottom"), reference=b"\x00",
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(request)) == request
    frame = Frame("r", "meme", "image/jpeg", b"\xff\xd8", 64, 64)
    assert pickle.loads(pickle.dumps(frame)) == frame


def test_roles_include_the_ones_below_and_lanes_draw_the_lower_first() -> None:
    assert Role.VIEWER < Role.FOLLOWER < Role.SUBSCRIBER < Role.VIP < Role.MODERATOR < Role.BROADCASTER
    assert Lane.BROADCASTER < Lane.PAID < Lane.CHAT


def test_all_but_three_request_states_are_ends() -> None:
    from streamer.storage.requests import OPEN_STATES

    assert set(RequestState) - set(OPEN_STATES) == {"shown", "superseded", "refused", "expired", "cancelled", "failed"}
