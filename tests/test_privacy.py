"""Forgotten means gone: no file of the data folder holds a byte of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer import cli
from streamer.privacy import Options, Privacy
from streamer.records import Records
from streamer.store import Options as StoreOptions
from streamer.store import Store
from streamer.types import RequestState, Role
from tests.running import free_port
from tests.test_pipeline import opened
from tests.test_store import REQUEST, frame

NAME, USER, PROMPT = "Zephyrine", "user-90210", "marmalade lighthouse"


def found(home: Path, *words: str) -> list[str]:
    """Search every byte of every file."""
    wanted = [word.encode() for word in words]
    return [str(p) for p in home.rglob("*") if p.is_file() and any(w in p.read_bytes() for w in wanted)]


async def test_after_forgetme_no_byte_of_the_data_folder_tells_of_the_viewer(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for n in range(30):
            await room.say(f"!bg somebody else {n}", f"other{n}")
            await room.draw_next()
            if n % 10 == 0:
                trigger = room.trigger(f"!bg {PROMPT} {n}", NAME, id_=USER)
                await room.pipeline.submit(trigger)
                await room.draw_next()
        await room.pipeline.ban(NAME, "mod", 0.0001)
        assert found(tmp_path, NAME, USER, PROMPT), "or the search proves nothing"
        await room.pipeline.submit(room.trigger("!forgetme", NAME, id_=USER))
        assert found(tmp_path, NAME, NAME.lower(), USER, PROMPT) == []
        receipt = await room.pipeline.submit(room.trigger(f"!bg {PROMPT}", NAME, id_=USER))
        assert receipt.rule == "forgotten"
        await room.order(f"!unban {NAME}", Role.MODERATOR)
        assert (await room.pipeline.submit(room.trigger("!bg again", NAME, id_=USER))).outcome == "queued"
    assert found(tmp_path, PROMPT) == []


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    store = Store(tmp_path, StoreOptions())
    await store.open()
    yield Records(store)
    await store.close()


async def test_texts_and_names_go_after_their_time_and_a_hash_stays(records: Records) -> None:
    privacy = Privacy(records, Options(texts_hours=24, audit_days=30))
    await privacy.restore()
    await records.store.accept(REQUEST)
    await records.store.end(["r1"], RequestState.SHOWN)
    await privacy.sweep(time.time() + 23 * 3600)
    row = await records.store.request("r1")
    assert row is not None
    assert row.text == "harbour"
    for _ in range(2):
        await privacy.sweep(time.time() + 25 * 3600)
    row = await records.store.request("r1")
    assert row is not None
    assert (row.text, row.prompt, row.actor_name, row.actor_id[0], len(row.actor_id)) == ("", "", "", "~", 33)
    assert found(records.store.home, "harbour", "Ann") == []
    assert await privacy.forget(REQUEST.actor.id) == ["r1"], "the hash finds what the id no longer does"


async def test_the_audit_goes_after_its_time_and_a_kept_picture_keeps_its_verdict(records: Records) -> None:
    privacy = Privacy(records, Options())
    await privacy.restore()
    await records.store.accept(REQUEST)
    await records.store.keep(REQUEST, frame("r1"), "v1")
    await records.store.end(["r1"], RequestState.SHOWN)
    await records.store.run(lambda db: db.execute("INSERT INTO verdicts VALUES ('v1','r1','p','allow','','',1)"))
    await records.store.run(lambda db: db.execute("INSERT INTO verdicts VALUES ('v2','r2','p','block','','',1)"))
    await privacy.sweep(time.time() + 31 * 86_400)
    assert await records.cleared("r1") == "v1"
    assert await records.store.run(lambda db: db.execute("SELECT count(*) FROM verdicts").fetchone()) == (1,)


async def test_who_is_forgotten_is_known_after_a_restart(records: Records) -> None:
    first = Privacy(records, Options())
    await first.restore()
    await first.forget(REQUEST.actor.id)
    again = Privacy(records, Options())
    await again.restore()
    refusal = again.objection(REQUEST, 0.0)
    assert refusal is not None
    assert refusal.rule == "forgotten"
    assert await again.remember(REQUEST.actor.id)
    assert not await again.remember(REQUEST.actor.id)
    assert again.objection(REQUEST, 0.0) is None
    await asyncio.sleep(0)


async def test_the_command_line_exports_and_forgets_beside_no_running_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(tmp_path, StoreOptions())
    await store.open()
    await store.accept(REQUEST)
    await store.end(["r1"], RequestState.SHOWN)
    await store.close()
    shipped = Path(__file__).parents[1] / "config.yaml"
    environ = {"STREAMER_HOME": str(tmp_path), "STREAMER_CONFIG": str(shipped), "STREAMER_PORT": str(free_port())}
    output = tmp_path / "audit.jsonl"
    assert await cli.audit(environ, "1h", output) == 0
    (row,) = map(json.loads, output.read_text().splitlines())
    assert (row["what"], row["text"], row["actor_name"]) == ("request", "harbour", "Ann")
    output.unlink()
    assert await cli.forget(environ, REQUEST.actor.id) == 0
    assert "1 requests forgotten" in capsys.readouterr().out
    assert found(tmp_path, "harbour") == []
