"""Decisions can be read again: verdicts, what was on air when, and who is banned."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.storage.audit import Records
from streamer.storage.bans import Ban
from streamer.storage.database import Store, StoreOptions
from streamer.types import Outcome, Verdict
from tests.support.examples import REQUEST, frame

ALLOW = Verdict("v1", "r1", "policy", Outcome.ALLOW, "", "1", 100.0)


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    store = Store(tmp_path, StoreOptions())
    await store.open()
    yield Records(store)
    await store.close()


async def test_a_kept_picture_is_cleared_by_its_own_verdict_only(records: Records) -> None:
    await records.store.accept(REQUEST)
    await records.store.keep(REQUEST, frame("r1"), "v1")
    assert await records.cleared("r1") is None, "no verdict of that id is stored"
    await records.judged([ALLOW])
    assert await records.cleared("r1") == "v1"
    await records.judged([Verdict("v1", "r1", "policy", Outcome.BLOCK, "", "1", 100.0)])
    assert await records.cleared("r1") is None


async def test_the_audit_says_who_asked_what_every_verdict_and_what_was_on_air_when(records: Records) -> None:
    await records.store.accept(REQUEST)
    await records.judged([ALLOW])
    await records.went_on_air(frame("r1"), "v1")
    await records.went_off_air("background")
    rows = await records.audit(0.0)
    assert [row["what"] for row in rows] == ["verdict", "request", "on_air"]
    request, on_air = rows[1], rows[2]
    assert (request["text"], request["actor_name"], on_air["verdict_id"]) == ("harbour", "Ann", "v1")
    assert on_air["to_at"] is not None
    assert await records.audit(float(str(on_air["to_at"])) + 1) == []


async def test_a_newer_ban_replaces_the_older_and_both_outlive_a_restart(records: Records, tmp_path: Path) -> None:
    await records.ban(Ban("7", "ann", 50.0, "first", "mod", 1.0))
    await records.ban(Ban("7", "ann", None, "second", "mod", 2.0))
    await records.ban(Ban("ben", "ben", None, "", "mod", 3.0))
    await records.unban("ben")
    again = Store(tmp_path, StoreOptions())
    await again.open()
    assert await Records(again).bans() == [Ban("7", "ann", None, "second", "mod", 2.0)]
    await again.close()
