"""Decisions can be read again: verdicts, and what was on air when."""

from __future__ import annotations

from streamer.storage.store import Store
from streamer.types import Outcome, Verdict
from tests.support.examples import REQUEST, frame

ALLOW = Verdict("v1", "r1", "policy", Outcome.ALLOW, "", "1", 100.0)


async def test_a_kept_picture_is_cleared_by_its_own_verdict_only(store: Store) -> None:
    await store.requests.accept(REQUEST)
    await store.pictures.keep(REQUEST, frame("r1"), "v1")
    assert await store.audit.allowing_verdict("r1") is None, "no verdict of that id is stored"
    await store.audit.record([ALLOW])
    assert await store.audit.allowing_verdict("r1") == "v1"
    await store.audit.record([Verdict("v1", "r1", "policy", Outcome.BLOCK, "", "1", 100.0)])
    assert await store.audit.allowing_verdict("r1") is None


async def test_the_audit_says_who_asked_what_every_verdict_and_what_was_on_air_when(store: Store) -> None:
    await store.requests.accept(REQUEST)
    await store.audit.record([ALLOW])
    await store.audit.went_on_air(frame("r1"), "v1")
    await store.audit.went_off_air("background")
    rows = await store.audit.entries(0.0)
    assert [row["what"] for row in rows] == ["verdict", "request", "on_air"]
    request, on_air = rows[1], rows[2]
    assert (request["text"], request["actor_name"], on_air["verdict_id"]) == ("harbour", "Ann", "v1")
    assert on_air["to_at"] is not None
    assert await store.audit.entries(float(str(on_air["to_at"])) + 1) == []
