"""Erasure and retention: deletes what is kept about somebody on request, and everything after its time."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable

from pydantic import BaseModel, ConfigDict, Field

from streamer.interfaces import Output
from streamer.storage.database import execute
from streamer.storage.pseudonyms import Pseudonyms
from streamer.storage.store import Store
from streamer.types import Forgotten, ImageRequest, Refusal

SWEEP_EVERY_S = 3600.0
FORGETTING = "forgetting "
"""The prefix of settings that name an erasure which the outputs have not finished yet."""


class PrivacyOptions(BaseModel):
    """How long what is kept; ``privacy`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    texts_hours: float = Field(
        24.0, gt=0, description="texts, names and user ids; after that, a keyed hash replaces the id"
    )
    audit_days: float = Field(
        30.0, gt=0, description="requests, verdicts and times on air; pictures have their own limit, see store"
    )


class Privacy:
    """Knows who asked to be forgotten, by pseudonym alone, and asks each repository to erase its own rows."""

    def __init__(self, store: Store, options: PrivacyOptions) -> None:
        self._store, self._options = store, options
        self._pseudonyms = Pseudonyms(store.home)
        self._forgotten: frozenset[str] = frozenset()
        self._actor_ids: dict[str, str] = {}

    async def restore(self) -> None:
        """Load who asked to be forgotten in earlier runs."""
        self._pseudonyms.unlock()
        rows = await self._store.database.run(lambda db: db.execute("SELECT who FROM forgotten").fetchall())
        self._forgotten = frozenset(str(row[0]) for row in rows)

    def objection(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse somebody who asked to be forgotten, before anything is stored."""
        if self._forgotten and self._pseudonyms.pseudonym(request.actor.id) in self._forgotten:
            return Refusal(request.id, "forgotten", "you asked to be forgotten; a moderator can undo that")
        return None

    async def forget(self, actor_id: str, names: Collection[str] = ()) -> Forgotten:
        """Erase everything about somebody from the data folder; only a pseudonym stays.

        ``names`` is what they are called now, beside the names that their requests have.

        Outputs erase what they keep elsewhere. Until ``finish``, the erasure stays among the ``unfinished``, also
        after a crash.
        """
        pseudonym = self._pseudonyms.pseudonym(actor_id)
        self._forgotten |= {pseudonym}
        ids = await self._store.database.erase(lambda db: self._erase(db, actor_id, names, pseudonym))
        await self._store.database.delete_copies()
        self._actor_ids[pseudonym] = actor_id
        return Forgotten(actor_id, ids)

    async def forget_everywhere(self, actor_id: str, outputs: Iterable[Output]) -> int:
        """Erase everything about somebody here and in the outputs; return the number of requests."""
        forgotten = await self.forget(actor_id)
        for output in outputs:
            await output.publish(forgotten)
        await self.finish(forgotten)
        return len(forgotten.request_ids)

    async def unfinished(self) -> list[Forgotten]:
        """List the erasures that the outputs may not have finished."""
        kept = await self._store.settings.starting_with(FORGETTING)
        erasures = ((key.removeprefix(FORGETTING), json.loads(ids)) for key, ids in kept.items())
        return [Forgotten(self._actor_ids.get(pseudonym, pseudonym), tuple(ids)) for pseudonym, ids in erasures]

    async def finish(self, forgotten: Forgotten) -> None:
        """Note that the outputs have erased what they had."""
        pseudonym = self._pseudonyms.pseudonym(forgotten.actor_id)
        self._actor_ids.pop(pseudonym, None)
        await self._store.database.erase(lambda db: self._store.settings.delete(db, FORGETTING + pseudonym))

    async def readmit(self, actor_id: str) -> bool:
        """Let somebody ask again; False when nobody with that id is forgotten."""
        pseudonym = self._pseudonyms.pseudonym(actor_id)
        if pseudonym not in self._forgotten:
            return False
        self._forgotten -= {pseudonym}
        await self._store.database.write("DELETE FROM forgotten WHERE who = ?", (pseudonym,))
        return True

    async def sweep(self, now: float) -> None:
        """Delete what is older than the options allow; ``now`` is in seconds since the epoch."""
        await self._store.database.erase(lambda db: self._expire(db, now))
        await self._store.database.delete_copies(now - self._options.texts_hours * 3600)

    async def back_up_daily(self, now: float) -> None:
        """Keep a copy of the database, made once a day, in which nobody's texts and names stand."""

        def tidy(db: sqlite3.Connection) -> None:
            self._store.requests.end_all(db, now)
            self._store.requests.anonymize(db, now + 1, self._pseudonyms.pseudonym)

        await self._store.database.back_up_daily(now, tidy)

    async def erase_returned(self) -> int:
        """Erase again whoever asked to be forgotten after a restored backup was made; return how many people.

        The outputs erase what they keep at the next start.
        """
        await self.restore()
        actor_ids = await self._store.database.run(self._store.requests.actor_ids)
        returned = [actor_id for actor_id in actor_ids if self._pseudonyms.pseudonym(actor_id) in self._forgotten]
        for actor_id in returned:
            await self.forget(actor_id)
        return len(returned)

    def _erase(self, db: sqlite3.Connection, actor_id: str, called: Collection[str], pseudonym: str) -> tuple[str, ...]:
        asked = self._store.requests.asked_by(db, actor_id, pseudonym)
        names = set().union(called, *asked.values()) - {""}
        self._store.pictures.erase(db, asked)
        self._store.audit.erase(db, asked, names)
        self._store.requests.erase(db, asked)
        self._store.bans.erase(db, actor_id, names)
        execute(db, "INSERT OR REPLACE INTO forgotten VALUES (?, ?)", (pseudonym, time.time()))
        self._store.settings.put(db, FORGETTING + pseudonym, json.dumps(list(asked)))
        return tuple(asked)

    def _expire(self, db: sqlite3.Connection, now: float) -> None:
        audit_before = now - self._options.audit_days * 86_400
        self._store.requests.anonymize(db, now - self._options.texts_hours * 3600, self._pseudonyms.pseudonym)
        self._store.audit.delete_before(db, audit_before)
        self._store.requests.delete_before(db, audit_before)
