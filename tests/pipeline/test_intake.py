"""The gate before the rules: pause holds viewers, panic holds everybody, and both outlive a restart."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.errors import StoreError
from streamer.interfaces import Health, HealthState
from streamer.pipeline.intake import Intake, IntakeState, availability
from streamer.storage.store import Store, StoreOptions
from streamer.types import Lane
from tests.support.examples import REQUEST

MINE = replace(REQUEST, priority=Lane.BROADCASTER)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store.at(tmp_path, StoreOptions())
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("state", "viewer", "streamer"),
    [(IntakeState.OPEN, "", ""), (IntakeState.PAUSED, "paused", ""), (IntakeState.PANIC, "panic", "panic")],
)
async def test_who_is_held_in_which_state(store: Store, state: IntakeState, viewer: str, streamer: str) -> None:
    intake = Intake(store)
    await intake.set(state)
    for request, rule in ((REQUEST, viewer), (MINE, streamer)):
        refusal = intake.objection(request, 0.0)
        assert (refusal.rule if refusal else "") == rule
    assert intake.open == (state == IntakeState.OPEN)


@pytest.mark.parametrize("state", [IntakeState.OPEN, IntakeState.PAUSED, IntakeState.PANIC])
async def test_the_state_outlives_a_restart(store: Store, state: IntakeState) -> None:
    await Intake(store).set(state)
    after = Intake(store)
    await after.restore()
    assert (after.objection(REQUEST, 0.0) is None) == (state == IntakeState.OPEN)


async def test_a_pause_does_not_soften_a_panic(store: Store) -> None:
    intake = Intake(store)
    await intake.set(IntakeState.PANIC)
    await intake.pause()
    assert intake.objection(MINE, 0.0) is not None


async def test_a_panic_outlives_a_restart_even_when_the_disk_takes_no_row(store: Store) -> None:
    await store.database.run(lambda db: db.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreError):
        await Intake(store).set(IntakeState.PANIC)
    await store.database.run(lambda db: db.execute("PRAGMA query_only = OFF"))
    after = Intake(store)
    await after.restore()
    assert after.panicked
    await after.set(IntakeState.OPEN)
    again = Intake(store)
    await again.restore()
    assert again.open


async def test_a_panic_ends_only_when_the_row_that_ends_it_is_on_disk(store: Store) -> None:
    def full_at_commit(action: int, operation: str | None, *names: str | None) -> int:
        commits = action == sqlite3.SQLITE_TRANSACTION and operation == "COMMIT"
        return sqlite3.SQLITE_DENY if commits else sqlite3.SQLITE_OK

    intake = Intake(store)
    await intake.set(IntakeState.PAUSED)
    await store.database.run(lambda db: db.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreError):
        await intake.set(IntakeState.PANIC)
    await store.database.run(lambda db: db.execute("PRAGMA query_only = OFF"))
    await store.database.run(lambda db: db.set_authorizer(full_at_commit))
    with pytest.raises(StoreError):
        await intake.set(IntakeState.OPEN)
    after = Intake(store)
    await after.restore()
    assert after.panicked


@pytest.mark.parametrize(
    ("is_open", "state", "fallback", "why"),
    [
        (True, HealthState.READY, None, ""),
        (True, HealthState.BUSY, None, ""),
        (False, HealthState.READY, None, "paused"),
        (True, HealthState.WARMING, None, "warming"),
        (True, HealthState.FAILED, None, "failed"),
        (True, HealthState.READY, "died 5 times", "degraded"),
    ],
)
def test_the_doors_are_open_to_those_who_pay_when_they_would_get_it(
    is_open: bool, state: HealthState, fallback: str | None, why: str
) -> None:
    told = availability(is_open, Health("generator", state), fallback)
    assert told.open == (why == "")
    assert why in told.why


async def test_shield_mode_holds_viewers_and_its_end_opens_only_what_it_closed(store: Store) -> None:
    intake = Intake(store)
    intake.shield(True)
    assert not intake.open
    assert intake.objection(REQUEST, 0.0) is not None
    assert intake.objection(MINE, 0.0) is None
    intake.shield(False)
    assert intake.open
    await intake.pause()
    intake.shield(True)
    intake.shield(False)
    assert intake.paused
    assert intake.objection(REQUEST, 0.0) is not None


async def test_opening_by_hand_overrules_shield_mode(store: Store) -> None:
    intake = Intake(store)
    intake.shield(True)
    await intake.set(IntakeState.OPEN)
    assert intake.open


async def test_a_state_of_a_newer_version_keeps_viewers_out_and_lets_the_streamer_in(store: Store) -> None:
    await store.settings.set("intake", "half open")
    intake = Intake(store)
    await intake.restore()
    assert not intake.open
    assert (intake.objection(REQUEST, 0.0) is None, intake.objection(MINE, 0.0) is None) == (False, True)
