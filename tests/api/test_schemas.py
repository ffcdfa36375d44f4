"""JSON in and out: roles by name, and a status that says everything a panel shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.api import schemas
from streamer.interfaces import Health, HealthState, Receipt, ReceiptOutcome
from streamer.pipeline.metrics import Percentiles
from streamer.pipeline.status import ShowStatus
from streamer.storage.bans import Ban
from streamer.types import Actor, Role
from tests.support.examples import REQUEST

STATUS = ShowStatus(
    paused=True, panicked=False, held=(), alarm="", bans=(),
    style="noir", generator=Health("generator", HealthState.BUSY, "drawing"),
    active={"backend": "procedural"},
    sources=(Health("twitch", HealthState.READY),), pages=2, drawing=REQUEST, pending=(REQUEST,),
    waits={"r1": 2.5}, newcomer_waits={"background": 4.0},
    on_air={"background": "r1", "meme": None}, timings={"draw": Percentiles(3, 1.0, 2.0, 3.0)},
)  # fmt: skip


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
    shown = schemas.status(STATUS, "1.2.3", lambda actor: actor).model_dump()
    assert shown["version"] == "1.2.3"
    assert shown["drawing"]["actor"] == "Ann"
    assert shown["pending"][0] == {
        "id": "r1", "command": "bg", "layer": "background", "text": "harbour", "actor": "Ann",
        "actor_id": "u1", "login": "", "role": "viewer", "lane": "chat", "wait_s": 2.5,
    }  # fmt: skip
    assert (shown["timings"]["draw"]["p99"], shown["sources"][0]["state"], shown["paused"]) == (3.0, "ready", True)


def test_a_status_says_everybody_under_the_name_that_may_be_shown() -> None:
    ban = Ban("u2", "Troll", None, "rude", "panel", 0.0, "troll_", seen=True)
    state = replace(STATUS, bans=(ban,))
    shown = schemas.status(state, "1", lambda actor: replace(actor, name="a viewer", login="")).model_dump()
    people = [shown["drawing"], *shown["pending"]]
    assert {(person["actor"], person["login"], person["actor_id"]) for person in people} == {("a viewer", "", "u1")}
    (listed,) = shown["bans"]
    assert (listed["who"], listed["name"], listed["login"]) == ("u2", "a viewer", "")


def test_a_receipt_keeps_its_reason() -> None:
    assert schemas.receipt(Receipt("t1", ReceiptOutcome.REFUSED, "length", "too long")).reason == "too long"
