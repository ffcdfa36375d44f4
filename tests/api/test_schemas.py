"""JSON in and out: roles by name, and a status that says everything a panel shows."""

from __future__ import annotations

import pytest

from streamer.api import schemas
from streamer.interfaces import Health, HealthState, Receipt, ReceiptOutcome
from streamer.pipeline.metrics import Percentiles
from streamer.pipeline.status import ShowStatus
from streamer.types import Actor, Role
from tests.support.examples import REQUEST


@pytest.mark.parametrize("role", list(Role))
def test_every_role_can_be_asked_for_by_name(role: Role) -> None:
    assert schemas.ActorIn(id="1", name="Ann", role=role.name.lower()).actor() == Actor("1", "Ann", role)


def test_an_id_that_nobody_vouches_for_is_none_of_the_chats() -> None:
    assert schemas.ActorIn(id="1", name="Ann").actor(vouched=False).id == "http:1"


def test_a_login_counts_only_if_somebody_vouches_for_it() -> None:
    given = schemas.ActorIn(id="1", name="Ann", login="ann_")
    assert (given.actor().login, given.actor(vouched=False).login) == ("ann_", "")


def test_an_unknown_role_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="known: viewer, follower"):
        schemas.ActorIn(role="emperor").actor()


def test_a_status_shows_the_whole_desk() -> None:
    state = ShowStatus(
        paused=True, panicked=False, held=(), alarm="", bans=(),
        style="noir", generator=Health("generator", HealthState.BUSY, "drawing"),
        active={"backend": "procedural"},
        sources=(Health("twitch", HealthState.READY),), pages=2, drawing=REQUEST, pending=(REQUEST,),
        waits={"r1": 2.5}, newcomer_waits={"background": 4.0},
        on_air={"background": "r1", "meme": None}, timings={"draw": Percentiles(3, 1.0, 2.0, 3.0)},
    )  # fmt: skip
    shown = schemas.status(state, "1.2.3").model_dump()
    assert shown["version"] == "1.2.3"
    assert shown["drawing"]["actor"] == "Ann"
    assert shown["pending"][0] == {
        "id": "r1", "command": "bg", "layer": "background", "text": "harbour", "actor": "Ann",
        "actor_id": "u1", "login": "", "role": "viewer", "lane": "chat", "wait_s": 2.5,
    }  # fmt: skip
    assert (shown["timings"]["draw"]["p99"], shown["sources"][0]["state"], shown["paused"]) == (3.0, "ready", True)


def test_a_receipt_keeps_its_reason() -> None:
    assert schemas.receipt(Receipt("t1", ReceiptOutcome.REFUSED, "length", "too long")).reason == "too long"
