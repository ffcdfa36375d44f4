"""The schema: a database that any older version of the program made opens, and its rows are there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from streamer.storage.bans import Ban
from streamer.storage.schema import MIGRATIONS
from streamer.storage.store import Store, StoreOptions
from streamer.storage.tokens import StoredToken
from streamer.types import Actor, Redemption, RequestState, Role

# What the program wrote when its database had that version.
ROWS = {
    1: """
       INSERT INTO requests VALUES ('r1', 'bg', 'background', 'background', 'harbour', 'a harbour', 640, 352, 7, 'u1',
         'Ann', 3, 2, 100.0, 'shown', '', '', 101.0, 12.5, 900.0);
       INSERT INTO requests VALUES ('r2', 'bg', 'background', 'background', 'pier', 'a pier', 640, 352, 8, 'u1',
         'Ann', 3, 2, 102.0, 'queued', '', '', NULL, NULL, NULL);
       INSERT INTO pictures (id, layer, media_type, width, height, file, shown_at)
         VALUES ('r1', 'background', 'image/jpeg', 640, 352, '1.jpg', 101.0);
       INSERT INTO on_air VALUES ('background', 'r1');
       INSERT INTO tokens VALUES ('digest', 'trigger', 'deck', 50.0);
       INSERT INTO settings VALUES ('intake', 'paused');
       """,
    2: """
       INSERT INTO verdicts VALUES ('v2', 'r2', 'policy', 'hold', 'c', '1', 103.0);
       INSERT INTO airings VALUES ('r1', 'v1', 'background', 101.0, NULL);
       INSERT INTO bans VALUES ('u9', 'troll', NULL, 'rude', 'mod', 60.0);
       INSERT INTO forgotten VALUES ('~0123', 70.0);
       """,
    3: "INSERT INTO redemptions VALUES ('p1', 'reward', 'r1', 99.0, 1, '', NULL);",
    4: "INSERT INTO bans VALUES ('u8', 'Лисица', NULL, '', 'mod', 61.0, 'foxy', 1);",
    5: """
       INSERT INTO tenants VALUES ('shop', 5.0, NULL, 1, 0.002, 0, 70.0);
       INSERT INTO api_keys VALUES ('k1', 'shop', 71.0);
       INSERT INTO api_usage VALUES ('shop', '2026-11-29', 3, 1, 0, 2.5, 0.005);
       """,
}


def made_by(version: int, home: Path) -> None:
    """Make the state directory as the program of that schema version left it."""
    (home / "pictures").mkdir(parents=True)
    (home / "pictures" / "1.jpg").write_bytes(b"picture")
    db = sqlite3.connect(home / "streamer.db")
    for number in range(1, version + 1):
        db.executescript(MIGRATIONS[number - 1])
        db.executescript(ROWS[number])
    db.execute(f"PRAGMA user_version = {version}")
    db.commit()
    db.close()


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
async def test_a_database_of_each_version_opens_with_its_rows(tmp_path: Path, version: int) -> None:
    made_by(version, tmp_path)
    store = Store.at(tmp_path, StoreOptions())
    await store.open()
    await store.recover()
    assert [(row.id, row.state, row.text) for row in await store.requests.newest(10)] == [
        ("r2", RequestState.EXPIRED, "pier"),
        ("r1", RequestState.SHOWN, "harbour"),
    ]
    assert [(frame.layer, frame.data) for frame in await store.pictures.on_air()] == [("background", b"picture")]
    assert await store.tokens.all() == [StoredToken("digest", "trigger", "deck", 50.0)]
    assert await store.settings.get("intake") == "paused"
    bans = [Ban("u9", "troll", None, "rude", "mod", 60.0), Ban("u8", "Лисица", None, "", "mod", 61.0, "foxy", True)]
    assert await store.bans.all() == bans[: [0, 1, 1, 2][min(version, 4) - 1]]
    assert await store.requests.people() == [Actor("u1", "Ann", Role.VIP)]
    unsettled = [(one.redemption, one.earned) for one in await store.redemptions.unsettled()]
    assert unsettled == ([(Redemption("p1", "reward"), True)] if version >= 3 else [])
    assert await store.tenants.keys() == ({"k1": "shop"} if version >= 5 else {})
    await store.close()


async def test_a_picture_from_before_there_were_verdicts_may_go_on_air_again(tmp_path: Path) -> None:
    made_by(1, tmp_path)
    store = Store.at(tmp_path, StoreOptions())
    await store.open()
    assert await store.audit.allowing_verdict("r1") == "before-r1"
    await store.close()
