"""What judges say of a text or a finished picture decides whether it is shown; the rest is tested with the pipeline."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from streamer.interfaces import Rule
from streamer.moderation.policy import Policy
from streamer.pipeline.exposition import exposition
from streamer.types import Answer, Frame, Hold, ImageRequest, Judgement, Outcome, Preview, Refusal
from tests.support.show import Easel, Room, held, opened


class Judged(Easel):
    """A generator whose judge finds what the prompt says."""

    left_out_words = False

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        self.drawn.append(request)
        await self.go.acquire()
        found = Judgement(Outcome(request.text), "nudity", "eye", "1", {"nudity": 0.9})
        yield Frame(
            request.id, request.layer, "image/jpeg", request.prompt.encode(), 8, 8, (found,), judged_s=self.judged_s,
            left_out_words=self.left_out_words,
        )  # fmt: skip


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with opened(tmp_path) as running:
        running.easel = Judged()
        running.show.generator = running.easel
        running.show.active._generator = running.easel
        yield running


async def verdicts(room: Room, request_id: str) -> set[tuple[object, object]]:
    rows = await room.store.audit.entries(0.0)
    return {
        (row["judge"], row["outcome"]) for row in rows if row["what"] == "verdict" and row["request_id"] == request_id
    }


async def test_a_picture_that_its_judge_allows_is_shown_and_both_verdicts_are_stored(room: Room) -> None:
    request_id = await room.say("!bg allow")
    await room.draw_next()
    assert room.on_air() == b"allow"
    assert await verdicts(room, request_id) == {("eye", "allow"), ("policy", "allow")}


async def test_how_long_judges_kept_a_picture_is_a_time_of_its_own(room: Room) -> None:
    room.easel.judged_s = 0.25
    await room.say("!bg allow")
    await room.draw_next()
    timings = room.status().timings
    assert (timings["judge"].count, timings["judge"].p50) == (1, 250.0)
    text = exposition(room.show)
    assert b'streamer_step_seconds_count{step="judge"} 1.0' in text
    assert b'streamer_judgements_total{judge="eye",outcome="allow"} 1.0' in text
    assert b'streamer_judge_seconds_count{judge="eye"} 1.0' in text


async def test_a_picture_that_its_judge_blocks_is_never_shown_not_even_the_streamers(room: Room) -> None:
    request_id = await room.say("!bg block")
    await room.draw_next()
    assert (room.on_air(), await room.state(request_id)) == (None, "refused")
    assert ("eye", "block") in await verdicts(room, request_id)


async def test_a_picture_of_which_its_judge_is_not_sure_waits_for_a_moderator(room: Room) -> None:
    request_id = await held(room, "!bg hold")
    assert room.on_air() is None
    assert await room.moderator.approve(request_id, "mod")
    assert room.on_air() == b"hold"


class Missing(Rule):
    """A rule that wants a judge nobody has asked."""

    def look(self, request: ImageRequest, frame: Frame, now: float) -> Refusal | Hold | None:
        there = any(one.judge == "another" for one in frame.judgements)
        return None if there else Hold(request.id, "picture", "nobody has judged it", "missing")


async def test_a_judge_that_is_missing_holds(room: Room) -> None:
    room.show.policy = Policy([Missing()])
    await held(room, "!bg allow")
    assert room.on_air() is None


async def test_a_bug_that_one_picture_brings_out_ends_that_one_and_not_the_show(room: Room) -> None:
    bad = await room.say("!bg harbour")  # this generator finds no such outcome
    room.easel.go.release()
    await room.until(lambda: room.status().drawing is None)
    assert await room.state(bad) == "failed"
    await room.say("!bg allow", "ben")
    room.easel.go.release()
    await room.until(lambda: room.on_air() == b"allow")


@pytest.mark.parametrize("left_out", [True, False])
async def test_whose_text_was_too_long_is_told_that_its_end_was_left_out(room: Room, left_out: bool) -> None:
    room.easel.left_out_words = left_out  # type: ignore[attr-defined]
    request_id = await room.say("!bg allow")
    await room.draw_next()
    assert room.on_air() == b"allow"
    await room.show.publisher.notified()
    told = [(event.trigger_id, event.text) for event in room.notes.events if isinstance(event, Answer)]
    sentence = "your text is longer than the model reads, so its last words were left out"
    assert told == ([(request_id, sentence)] if left_out else [])
