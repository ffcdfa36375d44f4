"""Private pictures in memory: their states, what is kept, and who is told of a change."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from streamer.pipeline import drafts as module
from streamer.pipeline.drafts import KEPT, Draft, Drafts, DraftState
from streamer.types import Frame, Hold, Preview, Refusal, RequestState
from tests.support.examples import REQUEST


def add(drafts: Drafts, draft_id: str, reference: bytes | None = None) -> Draft:
    return drafts.add(replace(REQUEST, id=draft_id, reference=reference))


def finish(drafts: Drafts, draft_id: str, data: bytes = b"picture", hold: Hold | None = None) -> None:
    drafts.finish(draft_id, Frame(draft_id, "", "image/jpeg", data, 8, 8), (), 0.5, hold)


def found(drafts: Drafts, draft_id: str) -> Draft:
    draft = drafts.get(draft_id)
    assert draft is not None
    return draft


def preview(draft_id: str, step: int, data: bytes = b"small") -> Preview:
    return Preview(draft_id, "", step, 4, "image/jpeg", data, 32, 18)


def test_a_draft_goes_from_its_place_in_line_to_its_picture() -> None:
    drafts = Drafts()
    assert add(drafts, "a", b"upload").state is DraftState.QUEUED
    drafts.start("a", 3.0)
    drafts.show_preview(preview("a", 1))
    assert (found(drafts, "a").state, found(drafts, "a").started_at) == (DraftState.DRAWING, 3.0)
    finish(drafts, "a", hold=Hold("a", "picture", "not sure", "nudity"))
    draft = found(drafts, "a")
    assert draft.frame is not None
    assert draft.ended
    assert (draft.state, draft.preview, draft.rule, draft.reason) == (DraftState.DRAWN, None, "picture", "not sure")
    assert draft.request.reference is None, "an upload is kept no longer than it is needed"


def test_a_step_without_a_picture_keeps_the_last_preview() -> None:
    drafts = Drafts()
    add(drafts, "a")
    drafts.show_preview(preview("a", 1))
    drafts.show_preview(preview("a", 2, b""))
    shown = found(drafts, "a").preview
    assert shown is not None
    assert (shown.step, shown.data) == (2, b"small")


def test_an_end_is_final_and_a_stopped_drawing_waits_again() -> None:
    drafts = Drafts()
    add(drafts, "a")
    drafts.start("a", 1.0)
    drafts.queue("a")
    assert (found(drafts, "a").state, found(drafts, "a").started_at) == (DraftState.QUEUED, None)
    drafts.end("a", RequestState.FAILED, "generator", "broken")
    finish(drafts, "a")
    assert (found(drafts, "a").state, found(drafts, "a").reason) == (DraftState.FAILED, "broken")


def test_one_that_was_refused_at_once_is_never_open() -> None:
    drafts = Drafts()
    draft = drafts.add(replace(REQUEST, reference=b"upload"), Refusal(REQUEST.id, "words", "no"))
    assert (draft.state, draft.rule, draft.size, drafts.waiting()) == (DraftState.REFUSED, "words", 0, [])


def test_what_is_not_known_any_more_changes_nothing() -> None:
    drafts = Drafts()
    add(drafts, "a")
    drafts.forget(lambda request: request.id == "a")
    drafts.start("a", 1.0)
    drafts.show_preview(preview("a", 1))
    drafts.end("a", RequestState.CANCELLED, "", "")
    assert drafts.get("a") is None


def test_the_oldest_finished_go_first_and_open_ones_stay() -> None:
    drafts = Drafts()
    add(drafts, "open")
    for number in range(KEPT + 1):
        add(drafts, f"d{number}")
        finish(drafts, f"d{number}")
    assert drafts.get("open") is not None
    assert (drafts.get("d0"), drafts.get("d1")) == (None, None)
    assert drafts.get("d2") is not None


def test_pictures_that_are_too_large_together_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 100)
    drafts = Drafts()
    for name in ("a", "b", "c"):
        add(drafts, name)
        finish(drafts, name, bytes(60))
    assert (drafts.get("a"), drafts.get("b")) == (None, None)
    assert found(drafts, "c").size == 60, "the newest stays, however large"


def test_changes_are_listed_once_in_their_order() -> None:
    drafts = Drafts()
    add(drafts, "a")
    seen = add(drafts, "b").version
    drafts.start("a", 1.0)
    assert [draft.request.id for draft in drafts.changed_since(seen)] == ["a"]
    assert [draft.request.id for draft in drafts.changed_since(0)] == ["b", "a"]


async def test_whoever_waits_for_an_end_is_woken_by_it_or_by_the_draft_being_forgotten() -> None:
    drafts = Drafts()
    add(drafts, "a")
    add(drafts, "b")
    waiting = [asyncio.create_task(drafts.ended(name)) for name in ("a", "b")]
    await asyncio.sleep(0)
    finish(drafts, "a")
    drafts.forget(lambda request: request.id == "b")
    first, second = await asyncio.gather(*waiting)
    assert first is not None
    assert first.state is DraftState.DRAWN
    assert second is None
