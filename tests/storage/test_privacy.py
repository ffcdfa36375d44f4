"""Privacy: erasure asks each repository for its own rows, and what is too old goes by itself."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.errors import StoreError
from streamer.storage.bans import Ban
from streamer.storage.privacy import Privacy, PrivacyOptions
from streamer.storage.store import Store
from streamer.types import Actor, Event, Forgotten, Outcome, RequestState, Role, Verdict
from tests.support.examples import REQUEST, frame
from tests.support.files_containing import files_containing


async def test_texts_and_names_go_after_their_time_and_a_hash_stays(store: Store) -> None:
    privacy = Privacy(store, PrivacyOptions(texts_hours=24, audit_days=30))
    await privacy.restore()
    await store.requests.accept(REQUEST)
    await store.requests.end(["r1"], RequestState.SHOWN)
    await privacy.sweep(time.time() + 23 * 3600)
    row = await store.requests.get("r1")
    assert row is not None
    assert row.text == "harbour"
    for _ in range(2):
        await privacy.sweep(time.time() + 25 * 3600)
    row = await store.requests.get("r1")
    assert row is not None
    assert (row.text, row.prompt, row.actor_name, row.actor_id[0], len(row.actor_id)) == ("", "", "", "~", 33)
    assert files_containing(store.home, "harbour", "Ann") == []
    assert (await privacy.forget(REQUEST.actor.id)).request_ids == ("r1",), "the hash finds what the id no longer does"


async def test_a_login_goes_with_the_name(store: Store) -> None:
    privacy = Privacy(store, PrivacyOptions(texts_hours=24))
    await privacy.restore()
    for number, user_id in enumerate(("u1", "u2")):
        actor = Actor(user_id, f"Shownname{number}", Role.VIEWER, f"loginname{number}")
        await store.requests.accept(replace(REQUEST, id=f"r{number}", actor=actor))
        await store.requests.end([f"r{number}"], RequestState.SHOWN)
    await store.bans.put(Ban("loginname0", "loginname0", None, "", "mod", 1.0))
    await store.bans.put(Ban("u1", "Shownname0", None, "", "mod", 1.0, "loginname0", seen=True))
    await privacy.forget("u1")
    assert await store.bans.all() == []
    assert files_containing(store.home, "Shownname0", "loginname0") == []
    assert files_containing(store.home, "loginname1") != []
    await privacy.sweep(time.time() + 25 * 3600)
    assert files_containing(store.home, "Shownname1", "loginname1") == []


async def test_the_audit_goes_after_its_time_and_a_kept_picture_keeps_its_verdict(store: Store) -> None:
    privacy = Privacy(store, PrivacyOptions())
    await privacy.restore()
    await store.requests.accept(REQUEST)
    await store.pictures.keep(REQUEST, frame("r1"), "v1")
    await store.requests.end(["r1"], RequestState.SHOWN)
    await store.database.run(lambda db: db.execute("INSERT INTO verdicts VALUES ('v1','r1','p','allow','','',1)"))
    await store.database.run(lambda db: db.execute("INSERT INTO verdicts VALUES ('v2','r2','p','block','','',1)"))
    await privacy.sweep(time.time() + 31 * 86_400)
    assert await store.audit.allowing_verdict("r1") == "v1"
    assert await store.database.run(lambda db: db.execute("SELECT count(*) FROM verdicts").fetchone()) == (1,)


async def test_who_is_forgotten_is_known_after_a_restart(store: Store) -> None:
    first = Privacy(store, PrivacyOptions())
    await first.restore()
    await first.forget(REQUEST.actor.id)
    again = Privacy(store, PrivacyOptions())
    await again.restore()
    refusal = again.objection(REQUEST, 0.0)
    assert refusal is not None
    assert refusal.rule == "forgotten"
    assert await again.readmit(REQUEST.actor.id)
    assert not await again.readmit(REQUEST.actor.id)
    assert again.objection(REQUEST, 0.0) is None


async def test_what_a_moderator_decided_stays_without_their_name(store: Store) -> None:
    privacy = Privacy(store, PrivacyOptions())
    await privacy.restore()
    await store.audit.record([Verdict("v1", "r9", "moderator Ann", Outcome.BLOCK, "denied", "1", 1.0)])
    await store.bans.put(Ban("9", "troll", None, "", "Ann", 1.0))
    await store.bans.put(Ban("ann", "ann", None, "", "mod", 2.0))
    await privacy.forget(REQUEST.actor.id, ["Ann"])
    assert [(entry["verdict_id"], entry["judge"]) for entry in await store.audit.entries(0.0)] == [("v1", "moderator")]
    assert await store.bans.all() == [Ban("9", "troll", None, "", "", 1.0)]


async def test_an_erasure_whose_file_cannot_be_deleted_fails_whole_and_succeeds_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    privacy = Privacy(store, PrivacyOptions())
    await privacy.restore()
    await store.requests.accept(REQUEST)
    await store.pictures.keep(REQUEST, frame("r1"), "v1")

    def locked(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "in use")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", locked)
        with pytest.raises(StoreError, match="in use"):
            await privacy.forget(REQUEST.actor.id)
    assert await store.pictures.frame("r1") is not None
    assert await privacy.unfinished() == []
    forgotten = await privacy.forget(REQUEST.actor.id)
    assert await store.pictures.frame("r1") is None
    assert await privacy.unfinished() == [forgotten]
    await privacy.finish(forgotten)
    assert await privacy.unfinished() == []


async def test_somebody_unknown_is_forgotten_everywhere_too(store: Store) -> None:
    privacy = Privacy(store, PrivacyOptions())
    await privacy.restore()
    told: list[Event] = []

    class Notebook:
        async def publish(self, event: Event) -> None:
            told.append(event)

    assert await privacy.forget_everywhere("1", [Notebook()]) == 0
    assert told == [Forgotten("1", ())]
    assert await privacy.unfinished() == []
