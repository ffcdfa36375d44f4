"""Nothing is on air without a stored verdict: whatever is tried, in whatever order."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streamer.errors import StoreError
from streamer.moderation.air_gate import AirGate, Capability, ClearedFrame, clear_frame
from streamer.overlay.hub import Hub
from streamer.overlay.layer_options import LayerOptions
from streamer.pipeline.stage import Stage
from streamer.storage.store import Store, StoreOptions
from streamer.types import Clear, Frame, Judgement, Outcome, Refusal
from tests.support.examples import REQUEST, frame

LAYERS = {"background": LayerOptions(use="background"), "meme": LayerOptions(use="popup")}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store.at(tmp_path, StoreOptions())
    await store.open()
    yield store
    await store.close()


async def test_the_verdict_is_stored_before_the_picture_is_cleared(store: Store) -> None:
    hub = Hub(LAYERS)
    page = hub.join()
    found = Judgement(Outcome.ALLOW, "", "nudity", "3")
    cleared = await AirGate(store, hub.take_capability()).clear(frame("r1"), "policy", [found])
    stored = await store.audit.entries(0.0)
    assert {(row["judge"], row["outcome"]) for row in stored} == {("policy", "allow"), ("nudity", "allow")}
    assert cleared.verdict_id in {row["verdict_id"] for row in stored}
    hub.publish(cleared)
    assert page.take(0.0) is not None


async def test_without_a_stored_verdict_there_is_no_cleared_picture(store: Store) -> None:
    door = AirGate(store, Hub(LAYERS).take_capability())
    await store.database.run(lambda db: db.execute("DROP TABLE verdicts"))
    with pytest.raises(StoreError):
        await door.clear(frame("r1"), "policy")


async def test_a_kept_picture_passes_again_only_with_its_verdict(store: Store) -> None:
    door = AirGate(store, Hub(LAYERS).take_capability())
    await store.requests.accept(REQUEST)
    cleared = await door.clear(frame("r1"), "policy")
    await store.pictures.keep(REQUEST, cleared, cleared.verdict_id)
    again = await door.clear_again("r1")
    assert again is not None
    assert again.verdict_id == cleared.verdict_id
    await store.database.run(lambda db: db.execute("DELETE FROM verdicts"))
    assert await door.clear_again("r1") is None
    assert await door.clear_again("unknown") is None


async def test_an_objection_is_written_down_as_hold_or_block(store: Store) -> None:
    door = AirGate(store, Capability())
    verdict = door.record_objection(Refusal("r1", "words", "no", "hate"))
    (row,) = await store.audit.entries(0.0)
    assert (row["verdict_id"], row["outcome"], row["code"]) == (verdict.id, "block", "hate")


def test_the_seal_of_a_hub_is_handed_out_once() -> None:
    hub = Hub(LAYERS)
    hub.take_capability()
    with pytest.raises(RuntimeError, match="handed out"):
        hub.take_capability()


class Airwaves(RuleBasedStateMachine):
    """Publish, clear, undo, redo, restore and forge in any order: what pages got always has a stored verdict."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.home = tempfile.TemporaryDirectory()
        self.store = Store.at(Path(self.home.name), StoreOptions())
        self.run(self.store.open)
        self.hub, self.stage = Hub(LAYERS), Stage(tuple(LAYERS))
        self.door = AirGate(self.store, self.hub.take_capability())
        self.page = self.hub.join()
        self.now, self.names, self.let_in, self.forged = 1.0, 0, set[str](), 0

    def run(self, what: Callable[[], Awaitable[object]]) -> object:
        async def wait() -> object:
            return await what()

        return self.loop.run_until_complete(wait())

    def teardown(self) -> None:
        self.run(self.store.close)
        self.loop.close()
        self.home.cleanup()

    def picture(self, layer: str) -> Frame:
        self.names += 1
        self.now += 1
        return frame(f"p{self.names}", layer)

    @rule(layer=st.sampled_from(sorted(LAYERS)))
    def show(self, layer: str) -> None:
        cleared = self.run(lambda: self.door.clear(self.picture(layer), "policy"))
        assert isinstance(cleared, ClearedFrame)
        self.let_in.add(cleared.request_id)
        for update in self.stage.show(cleared, None, self.now, self.now):
            self.hub.publish(update)

    @rule(layer=st.sampled_from(sorted(LAYERS)), how=st.integers(0, 3))
    def forge(self, layer: str, how: int) -> None:
        bare = self.picture(layer)
        forged = (
            bare,
            ClearedFrame(*_values(bare)),
            clear_frame(bare, "made up", Capability()),
            ClearedFrame(*_values(bare), verdict_id="v"),
        )[how]
        self.forged += 1
        for update in self.stage.show(forged, None, self.now, self.now):
            self.hub.publish(update)

    @rule(layer=st.sampled_from(sorted(LAYERS)), verb=st.sampled_from(["undo", "redo"]))
    def step(self, layer: str, verb: str) -> None:
        for update in getattr(self.stage, verb)(layer, self.now):
            self.hub.publish(update)

    @rule(layer=st.sampled_from(sorted(LAYERS)))
    def clear(self, layer: str) -> None:
        self.hub.publish(Clear(layer))

    @rule()
    def without_store(self) -> None:
        self.run(lambda: self.store.database.run(lambda db: db.execute("ALTER TABLE verdicts RENAME TO away")))
        try:
            self.run(lambda: self.door.clear(self.picture("meme"), "policy"))
            raise AssertionError("cleared although nothing could be stored")
        except StoreError:
            pass
        finally:
            self.run(lambda: self.store.database.run(lambda db: db.execute("ALTER TABLE away RENAME TO verdicts")))

    @rule()
    def join(self) -> None:
        self.page = self.hub.join()

    @invariant()
    def every_picture_that_left_was_let_in(self) -> None:
        with sqlite3.connect(Path(self.home.name) / "streamer.db") as db:
            stored = {row[0] for row in db.execute("SELECT request_id FROM verdicts WHERE outcome = 'allow'")}
        for shown in self.hub._states.values():
            assert shown.picture is None or shown.picture.request_id in stored & self.let_in
        for picture in self.page._slots.values():
            assert picture.request_id in stored & self.let_in


def _values(bare: Frame) -> tuple[str, str, str, bytes, int, int]:
    return bare.request_id, bare.layer, bare.media_type, bare.data, bare.width, bare.height


TestAirwaves = Airwaves.TestCase
TestAirwaves.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
