"""Decisions can be read again: verdicts, and what was on air when."""

from __future__ import annotations

from datetime import datetime

import pytest

from streamer.errors import ConfigError
from streamer.storage.audit import parse_since
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


async def test_a_crash_ends_what_was_on_air_at_the_next_start(store: Store) -> None:
    await store.audit.went_on_air(frame("r1"), "v1")
    await store.audit.end_interrupted()
    (on_air,) = await store.audit.entries(0.0)
    assert on_air["to_at"] is not None


async def test_erasure_deletes_the_rows_of_the_requests_and_no_others(store: Store) -> None:
    for number in (1, 2):
        await store.audit.record([Verdict(f"v{number}", f"r{number}", "policy", Outcome.ALLOW, "", "1", 100.0)])
        await store.audit.went_on_air(frame(f"r{number}"), f"v{number}")
    await store.database.run(lambda db: store.audit.erase(db, ["r1"], []))
    assert [entry["request_id"] for entry in await store.audit.entries(0.0)] == ["r2", "r2"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [("2h", 10_000 - 7200), ("1d", 10_000 - 86_400), ("2026-11-01", datetime(2026, 11, 1).timestamp())],
)
def test_a_time_span_or_a_date_becomes_a_moment(text: str, moment: float) -> None:
    assert parse_since(text, 10_000.0) == moment


@pytest.mark.parametrize("text", ["", "h", "yesterday", "-2h"])
def test_what_is_no_time_says_what_to_write(text: str) -> None:
    with pytest.raises(ConfigError, match="write 2h, 7d or 2026-11-01"):
        parse_since(text, 0.0)
