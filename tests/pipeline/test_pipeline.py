"""The pipeline: every accepted request ends once, a clear beats a picture being drawn, and panic beats everything."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from streamer.errors import BackendDied, StoreError, Unsupported
from streamer.interfaces import Abilities, Health, HealthState, SourceEvent
from streamer.moderation.rules import cooldown
from streamer.overlay import wire
from streamer.overlay.hub import HubUpdate
from streamer.pipeline.exposition import exposition
from streamer.pipeline.game_mode import NO_CARD
from streamer.pipeline.queue_options import QueueOptions
from streamer.pipeline.show import restore
from streamer.types import (
    Actor,
    Clear,
    Ended,
    Event,
    ImageRequest,
    KeyPress,
    Notice,
    NoticeCard,
    NoticeKind,
    Preview,
    Redemption,
    Refusal,
    Refused,
    Retraction,
    Role,
    Toast,
    Trigger,
)
from tests.support.show import NUMBERS, Room, Script, held, opened


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with opened(tmp_path) as running:
        yield running


async def test_a_line_becomes_a_picture_on_air_and_ends_shown(room: Room) -> None:
    request_id = await room.say("!bg harbour")
    assert await room.state(request_id) in ("queued", "drawing")
    await room.draw_next()
    assert room.on_air() == b"harbour"
    assert await room.state(request_id) == "shown"
    await room.until(lambda: any(isinstance(event, Toast) for event in room.notes.events))


async def test_a_source_feeds_the_same_path(room: Room) -> None:
    room.script.lines.put_nowait(room.trigger("just chatting"))
    room.script.lines.put_nowait(room.trigger("!bg harbour"))
    await room.draw_next()
    assert room.on_air() == b"harbour"


async def test_ordinary_chat_is_ignored_and_a_repeated_message_id_counts_once(room: Room) -> None:
    assert (await room.admit.submit(room.trigger("hello"))).outcome == "ignored"
    trigger = room.trigger("!bg harbour")
    assert (await room.admit.submit(trigger)).outcome == "queued"
    assert (await room.admit.submit(trigger)).outcome == "duplicate"


async def test_a_refused_request_leaves_no_row_and_says_why(room: Room) -> None:
    receipt = await room.admit.submit(room.trigger("!mods harbour"))
    assert (receipt.outcome, receipt.rule) == ("refused", "role")
    assert receipt.reason
    assert await room.store.requests.get(receipt.trigger_id) is None
    assert (await room.admit.submit(room.trigger("!bg a forbiddenword"))).rule == "words"


async def test_a_name_that_is_refused_is_not_shown(room: Room) -> None:
    await room.say("!bg harbour", who="forbiddenword")
    await room.draw_next()
    await room.until(lambda: any(isinstance(event, Toast) for event in room.notes.events))
    (toast,) = [event for event in room.notes.events if isinstance(event, Toast)]
    assert toast.text == "drawn for a viewer"


async def test_a_clear_beats_the_picture_being_drawn(room: Room) -> None:
    request_id = await room.say("!bg harbour")
    await room.until(lambda: room.easel.drawn)
    await room.order("!clear")
    await room.until(lambda: room.status().drawing is None)
    assert room.on_air() is None
    assert await room.state(request_id) == "cancelled"


async def test_panic_blanks_empties_and_closes_in_one_step(room: Room) -> None:
    await room.say("!bg one")
    await room.draw_next()
    drawing = await room.say("!bg two", who="ben")
    await room.until(lambda: len(room.easel.drawn) == 2)
    waiting = await room.say("!bg three", who="cat")
    await room.order("!panic")
    assert room.on_air() is None
    await room.until(lambda: room.status().drawing is None)
    assert [await room.state(one) for one in (drawing, waiting)] == ["cancelled", "cancelled"]
    for rank in (Role.VIEWER, Role.BROADCASTER):
        assert (await room.admit.submit(room.trigger("!bg four", rank=rank))).rule == "panic"
    await room.order("!resume")
    await room.say("!bg five")
    await room.draw_next()
    assert room.on_air() == b"five"


async def test_panic_outlives_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.say("!bg one")
        await room.draw_next()
        await room.order("!panic")
    async with opened(tmp_path) as room:
        await room.until(lambda: room.status().paused)
        assert room.on_air() is None


async def test_a_restart_shows_the_last_background_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.say("!bg one")
        await room.draw_next()
        await room.say("!meme two | top | bottom")
        await room.draw_next()
    async with opened(tmp_path) as room:
        await room.until(lambda: room.on_air() == b"one")
        assert room.on_air("meme") is None


async def test_while_paused_only_the_streamer_is_served(room: Room) -> None:
    await room.order("!pause")
    assert (await room.admit.submit(room.trigger("!bg one"))).rule == "paused"
    await room.say("!bg mine", rank=Role.BROADCASTER)
    await room.draw_next()
    assert room.on_air() == b"mine"


async def test_undo_and_redo_walk_through_what_was_shown(room: Room) -> None:
    for word in ("one", "two"):
        await room.say(f"!bg {word}")
        await room.draw_next()
    await room.order("!undo")
    assert room.on_air() == b"one"
    await room.order("!redo")
    assert room.on_air() == b"two"


async def test_a_failed_picture_ends_failed_and_the_next_is_drawn(room: Room) -> None:
    room.easel.fault = BackendDied("the process crashed")
    failed = await room.say("!bg one")
    await room.draw_next()
    await room.say("!bg two", who="ben")
    await room.draw_next()
    assert room.on_air() == b"two"
    row = await room.store.requests.get(failed)
    assert row is not None
    assert (row.state, row.rule) == ("failed", "generator")
    assert "crashed" not in row.reason


async def test_what_a_backend_cannot_do_is_said_in_its_own_words(room: Room) -> None:
    room.easel.fault = Unsupported("this backend cannot edit pictures")
    request_id = await room.say("!bg one")
    await room.draw_next()
    row = await room.store.requests.get(request_id)
    assert row is not None
    assert row.reason == "this backend cannot edit pictures"


async def test_identical_requests_are_drawn_once_and_all_end_shown(room: Room) -> None:
    first = await room.say("!bg blocker", who="zoe")
    await room.until(lambda: room.easel.drawn)
    same = [await room.say("!bg harbour", who=name) for name in ("ann", "ben", "cat")]
    await room.draw_next()
    await room.draw_next()
    assert len(room.easel.drawn) == 2
    assert [await room.state(one) for one in (first, *same)] == ["shown"] * 4


async def test_a_viewers_newer_text_replaces_the_older_one(room: Room) -> None:
    await room.say("!bg blocker", who="zoe")
    await room.until(lambda: room.easel.drawn)
    older = await room.say("!bg older")
    newer = await room.say("!bg newer")
    assert await room.state(older) == "superseded"
    await room.draw_next()
    await room.draw_next()
    assert await room.state(newer) == "shown"


async def test_a_full_queue_gives_the_turn_back(tmp_path: Path) -> None:
    limit = cooldown.create(cooldown.Options(user_s=30, everyone_s=0))
    async with opened(tmp_path, more_rules=(limit,)) as room:
        room.show.active.draw_times.assumed_s = 0.1
        await room.say("!bg blocker", who="zoe")
        await room.until(lambda: room.easel.drawn)
        for number in range(QueueOptions().limit):
            await room.say(f"!bg picture {number}", who=f"viewer{number}")
        for _ in range(2):
            assert (await room.admit.submit(room.trigger("!bg late", who="late"))).rule == "queue"
        await room.draw_next()
        assert (await room.admit.submit(room.trigger("!bg late", who="late"))).outcome == "queued"
        assert (await room.admit.submit(room.trigger("!bg more", who="late"))).rule == "cooldown"


async def test_viewers_pictures_keep_their_time_and_the_streamer_does_not_wait(tmp_path: Path) -> None:
    async with opened(tmp_path, at_least_s=6.0) as room:
        await room.say("!bg one")
        await room.draw_next()
        await room.say("!bg two", who="ben")
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(room.easel.drawn) == 1
        await room.say("!bg mine", who="me", rank=Role.BROADCASTER)
        await room.draw_next()
        assert room.on_air() == b"mine"


async def test_a_popup_goes_when_its_time_is_over(room: Room) -> None:
    await room.say("!meme cat | top | bottom")
    await room.draw_next()
    assert room.on_air("meme") == b"cat"
    room.now += 6
    await room.until(lambda: room.on_air("meme") is None)
    assert await _soon(room, Clear("meme", fade=True))


async def _soon(room: Room, event: Event) -> bool:
    await room.until(lambda: event in room.notes.events)
    return True


async def test_a_request_that_waited_too_long_expires(room: Room) -> None:
    await room.say("!bg blocker", who="zoe")
    await room.until(lambda: room.easel.drawn)
    late = await room.say("!bg late")
    room.now += 31
    await room.until(lambda: any(isinstance(e, Refusal) and e.request_id == late for e in room.notes.events))
    assert await room.state(late) == "expired"


async def test_a_deleted_message_takes_its_picture_off_the_air_and_off_the_disk(room: Room) -> None:
    kept = await room.say("!bg kept", who="zoe")
    await room.draw_next()
    bad = await room.say("!bg bad")
    await room.draw_next()
    await room.controls.retract(Retraction("test", bad, None, room.now))
    assert room.on_air() == b"kept"
    assert await room.store.pictures.frame(bad) is None
    assert await room.store.pictures.frame(kept) is not None


async def test_a_banned_viewer_loses_what_waits_what_is_drawn_and_what_is_on_air(room: Room) -> None:
    await room.say("!bg shown")
    await room.draw_next()
    drawing = await room.say("!bg drawing")
    await room.until(lambda: len(room.easel.drawn) == 2)
    waiting = await room.say("!meme waiting | a")
    await room.controls.retract(Retraction("test", None, "ann", room.now))
    await room.until(lambda: room.status().drawing is None)
    assert room.on_air() is None
    assert [await room.state(one) for one in (drawing, waiting)] == ["cancelled", "cancelled"]


async def test_a_line_that_is_read_after_it_was_taken_back_is_refused(room: Room) -> None:
    await room.controls.retract(Retraction("test", "m1", None, room.now))
    trigger = Trigger("m1", "test", "!bg late", Actor("ann", "ann", Role.VIEWER), room.now)
    receipt = await room.admit.submit(trigger)
    assert (receipt.outcome, receipt.rule) == ("refused", "retracted")


async def test_a_cleared_chat_drops_what_waits_and_leaves_the_air_alone(room: Room) -> None:
    await room.say("!bg shown")
    await room.draw_next()
    await room.say("!bg blocker", who="zoe")
    await room.until(lambda: len(room.easel.drawn) == 2)
    waiting = await room.say("!bg waiting")
    await room.controls.retract(Retraction("test", None, None, room.now))
    assert room.on_air() == b"shown"
    assert await room.state(waiting) == "cancelled"


async def test_a_moderator_removes_one_request(room: Room) -> None:
    drawing = await room.say("!bg one", who="zoe")
    await room.until(lambda: room.easel.drawn)
    waiting = await room.say("!bg two")
    assert await room.controls.cancel(waiting)
    assert await room.controls.cancel(drawing)
    assert not await room.controls.cancel("nobody")
    await room.until(lambda: room.status().drawing is None)
    assert [await room.state(one) for one in (drawing, waiting)] == ["cancelled", "cancelled"]


async def test_a_style_wraps_the_prompts_that_follow(room: Room) -> None:
    await room.order("!style noir")
    assert room.status().style == "noir"
    await room.say("!bg harbour")
    await room.draw_next()
    assert room.on_air() == b"harbour, noir"


async def test_help_lists_only_what_could_be_done_now(room: Room) -> None:
    async def offered() -> set[str]:
        room.notes.events.clear()
        await room.order("!help")
        await room.until(lambda: any(isinstance(event, Toast) for event in room.notes.events))
        (told,) = (event.text for event in room.notes.events if isinstance(event, Toast))
        return {"!bg", "!edit", "!restyle"} & set(told.split())

    assert await offered() == {"!bg", "!edit"}, "OBS is not there"
    room.eye.sees = b"seen"
    assert await offered() == {"!bg", "!edit", "!restyle"}
    room.easel.abilities = Abilities(edits=False)
    assert await offered() == {"!bg"}


async def test_queue_and_help_answer_on_the_overlay(room: Room) -> None:
    await room.say("!bg blocker", who="zoe")
    await room.until(lambda: room.easel.drawn)
    await room.say("!bg mine")
    for line in ("!queue", "!help"):
        assert (await room.admit.submit(room.trigger(line))).outcome == "done"
    await room.until(lambda: sum(isinstance(event, Toast) for event in room.notes.events) == 2)
    told = [event.text for event in room.notes.events if isinstance(event, Toast)]
    assert told[0] == "1 waiting, yours is number 1, in about 2 s"
    assert "!bg" in told[1]
    assert "!panic" not in told[1]


async def test_queue_tells_somebody_who_joined_the_place_of_that_picture(room: Room) -> None:
    await room.say("!bg blocker", who="zoe")
    await room.until(lambda: room.easel.drawn)
    await room.say("!bg other", who="bob")
    await room.say("!bg same", who="eve")
    assert (await room.admit.submit(room.trigger("!bg same"))).outcome == "joined"
    await room.order("!queue")
    await room.admit.submit(room.trigger("!queue"))
    await room.until(lambda: sum(isinstance(event, Toast) for event in room.notes.events) == 2)
    told = [event.text for event in room.notes.events if isinstance(event, Toast)]
    assert told == ["2 waiting", "2 waiting, yours is number 2, in about 3 s"]


async def press(room: Room, name: str) -> str:
    room.now += 1
    return (await room.admit.press(KeyPress(f"p{next(NUMBERS)}", "deck", name, room.now))).outcome


async def test_a_press_draws_what_it_stands_for(room: Room) -> None:
    room.script.lines.put_nowait(KeyPress("p1", "deck", "!bg harbour", room.now))
    await room.draw_next()
    assert room.on_air() == b"harbour"


async def test_pressing_pause_twice_pauses_and_resumes_but_never_opens_after_a_panic(room: Room) -> None:
    opened = []
    for name in ("pause", "pause", "panic", "pause", "pause", "resume"):
        assert await press(room, name) == "done"
        opened.append(not room.status().paused)
    assert opened == [False, True, False, False, False, True]


async def test_next_lets_the_waiting_picture_come_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path, at_least_s=20) as room:
        await room.say("!bg one")
        await room.draw_next()
        await room.say("!bg two", who="bob")
        await asyncio.sleep(0.01)
        assert len(room.easel.drawn) == 1
        assert await press(room, "next") == "done"
        await room.draw_next()
        assert room.on_air() == b"two"


async def test_with_the_gpu_given_away_requests_wait_past_their_time_and_are_drawn_afterwards(room: Room) -> None:
    assert await press(room, "free") == "done"
    page = room.hub.join()
    told = [page.take(0.0) for _ in range(3)]
    assert wire.encode_card(NoticeCard("Back soon", "Pictures are taking a short break")) in told
    request_id = await room.say("!bg harbour")
    room.now += 600
    await room.admit.submit(room.trigger("hello"))
    await asyncio.sleep(0.01)
    assert (await room.state(request_id), room.easel.drawn) == ("queued", [])
    assert await press(room, "free") == "done"
    await room.draw_next()
    assert (room.on_air(), await room.state(request_id)) == (b"harbour", "shown")
    await room.until(lambda: NO_CARD in room.notes.events)


async def test_a_panel_hears_of_every_change_of_the_generator(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    await asyncio.sleep(0.01)
    before = room.show.publisher.version
    monkeypatch.setattr(room.easel, "health", lambda: Health("generator", HealthState.PARKED))
    await room.until(lambda: room.show.publisher.version != before)


async def test_a_panic_takes_the_card_along(room: Room) -> None:
    await room.controls.release_gpu()
    await room.controls.panic()
    await room.until(lambda: NO_CARD in room.notes.events)


async def hears(room: Room, kind: NoticeKind, text: str = "") -> None:
    room.now += 1
    room.script.lines.put_nowait(Notice("obs", kind, room.now, text=text))
    await room.until(lambda: any(isinstance(e, Notice) and (e.kind, e.text) == (kind, text) for e in room.notes.events))
    room.notes.events.clear()


async def test_a_quiet_scene_holds_what_waits_until_it_is_left_and_the_streamer_draws_in_it(room: Room) -> None:
    await room.say("!bg blocker", who="zoe")
    await room.until(lambda: room.easel.drawn)
    waiting = await room.say("!bg waiting")
    await hears(room, NoticeKind.SCENE, "Break")
    await room.draw_next()
    await room.say("!bg mine", who="me", rank=Role.BROADCASTER)
    await room.draw_next()
    assert (room.on_air(), await room.state(waiting)) == (b"mine", "queued")
    assert (await room.admit.submit(room.trigger("!bg late", who="eve"))).rule == "scene"
    await hears(room, NoticeKind.SCENE, "Main")
    await room.draw_next()
    assert room.on_air() == b"waiting"


async def test_a_scene_brings_its_style_until_somebody_chooses_or_it_is_left(room: Room) -> None:
    styles = []
    for step in ("Cozy", "!style clay", "Main", "Cozy", "Main"):
        await (room.order(step) if step.startswith("!") else hears(room, NoticeKind.SCENE, step))
        styles.append(room.status().style)
    assert styles == ["noir", "clay", "clay", "noir", "clay"]
    await room.say("!bg harbour")
    await room.draw_next()
    assert room.on_air() == b"harbour, clay"


async def test_what_is_written_for_an_occasion_happens_and_never_the_other_way_round(room: Room) -> None:
    await room.say("!bg harbour")
    await room.draw_next()
    await hears(room, NoticeKind.OFFLINE)
    await room.until(lambda: room.on_air() is None)
    for _ in range(2):
        await hears(room, NoticeKind.SCENE, "Game")
        await room.until(lambda: not room.easel.here.is_set())
    await hears(room, NoticeKind.ONLINE)
    await room.until(room.easel.here.is_set)
    await hears(room, NoticeKind.RAID)
    await room.draw_next()
    assert room.on_air() == b"fireworks"


async def test_a_picture_of_the_history_is_shown_again(room: Room) -> None:
    first = await room.say("!bg one")
    await room.draw_next()
    await room.say("!bg two")
    await room.draw_next()
    assert await room.controls.show_again(first)
    assert room.on_air() == b"one"
    assert not await room.controls.show_again("nothing")


async def test_a_broken_output_does_not_end_the_show(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(event: Event) -> None:
        raise RuntimeError("somebody's bug")

    room.notes.publish = broken  # type: ignore[method-assign]
    await room.say("!bg one")
    await room.draw_next()
    await room.until(lambda: "an output failed" in caplog.text)
    assert room.on_air() == b"one"


async def test_a_source_that_breaks_leaves_the_rest_running(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Script):
        async def listen(self) -> AsyncIterator[SourceEvent]:
            raise RuntimeError("somebody's bug")
            yield  # makes this an async generator

    room = Room(tmp_path, sources=[Broken()])
    await room.store.open()
    await restore(room.show)
    running = asyncio.create_task(room.pipeline.run())
    await room.until(lambda: "stopped" in caplog.text)
    name = Broken().health().name
    (stopped,) = (part for part in room.status().sources if part.name == name)
    assert (stopped.state, "stopped by an error" in stopped.detail) == ("failed", True)
    await room.say("!bg one")
    await room.draw_next()
    assert room.on_air() == b"one"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await room.store.close()


async def test_an_edit_takes_the_picture_that_was_on_air_when_it_was_asked_for(room: Room) -> None:
    assert (await room.admit.submit(room.trigger("!edit make it winter"))).rule == "edit"
    await room.say("!bg summer")
    await room.draw_next()
    await room.say("!edit make it winter")
    await room.draw_next()
    assert room.easel.drawn[-1].reference == b"summer"


async def test_a_restyle_takes_what_viewers_see_when_its_turn_comes(room: Room) -> None:
    await room.say("!bg one", who="zoe")
    await room.until(lambda: room.easel.drawn)
    room.eye.sees = b"before"
    await room.say("!restyle noir")
    room.eye.sees = b"now"
    room.easel.go.release()
    await room.until(lambda: len(room.easel.drawn) == 2)
    assert (room.easel.drawn[-1].reference, room.easel.drawn[-1].kind) == (b"now", "edit")
    room.easel.go.release()
    await room.until(lambda: room.status().drawing is None)


async def test_what_cannot_be_seen_is_not_restyled_and_the_show_goes_on(room: Room) -> None:
    await room.say("!bg zero", who="zoe")
    await room.until(lambda: room.easel.drawn)
    room.eye.sees = b"before"
    request_id = await room.say("!restyle noir")
    room.eye.sees = None
    room.easel.go.release()
    await room.until(lambda: room.status().drawing is None and not room.status().pending)
    row = await room.store.requests.get(request_id)
    assert row is not None
    assert (str(row.state), row.reason) == ("failed", "OBS did not answer")
    await room.say("!bg one")
    await room.draw_next()
    assert room.on_air() == b"one"


async def test_a_request_that_cannot_be_written_down_is_refused_and_the_show_goes_on(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    await room.say("!bg one", who="zoe")
    await room.until(lambda: room.easel.drawn)
    with monkeypatch.context() as broken:
        broken.setattr(room.store.requests, "_insert", full)
        receipt = await room.admit.submit(room.trigger("!bg two"))
        assert (receipt.outcome, receipt.rule) == ("refused", "store")
        room.script.lines.put_nowait(room.trigger("!bg three", who="cat"))
        await room.until(lambda: sum(isinstance(e, Refusal) and e.rule == "store" for e in room.notes.events) == 2)
    await room.draw_next()
    assert room.on_air() == b"one"
    await room.say("!bg four")
    await room.draw_next()
    assert room.on_air() == b"four"


@pytest.mark.parametrize(
    ("usual_s", "who", "rank", "lines"),
    [
        (0.9, "zoe", Role.VIEWER, []),
        (2.0, "zoe", Role.VIEWER, ["drawing for zoe"]),
        (2.0, "forbiddenword", Role.VIEWER, ["drawing for a viewer"]),
        (2.0, "ann", Role.BROADCASTER, [""]),
    ],
)
async def test_a_picture_is_announced_unless_it_is_about_to_come(
    room: Room, monkeypatch: pytest.MonkeyPatch, usual_s: float, who: str, rank: Role, lines: list[str]
) -> None:
    published: list[HubUpdate] = []
    publish = room.hub.publish

    def note(update: HubUpdate) -> None:
        published.append(update)
        publish(update)

    monkeypatch.setattr(room.hub, "publish", note)
    await room.say("!bg one")
    await room.until(lambda: room.easel.drawn)
    room.now += usual_s
    await room.draw_next()
    assert not any(isinstance(update, Preview) for update in published), "the first step took no time at all"
    await room.say("!bg two", who, rank)
    await room.draw_next()
    assert [update.line for update in published if isinstance(update, Preview)] == lines


async def test_overhead_counts_only_requests_that_were_drawn_at_once_and_no_drawing_or_judging(room: Room) -> None:
    room.easel.drew_s, room.easel.judged_s = 0.1, 0.05
    page = room.hub.join()
    for number, waited_s in enumerate((0.0, 5.0), start=1):
        trigger = room.trigger(f"!bg picture after {waited_s} s", who=f"viewer {waited_s}")
        room.now += waited_s
        assert (await room.admit.submit(trigger)).outcome == "queued"
        await room.draw_next()
        async with asyncio.timeout(10):
            while not isinstance(sent := page.take(room.now), bytes) or b'"type":"frame"' not in sent:
                await asyncio.sleep(0)
        header = json.loads(sent[4 : 4 + int.from_bytes(sent[:4], "big")])
        painted = wire.Painted(seq=header["seq"], request_id=trigger.id, layer="background")
        room.hub.pages.painted(page, painted, room.now)
        async with asyncio.timeout(10):
            while "paint" not in (timings := room.status().timings) or timings["paint"].count < number:
                await asyncio.sleep(0)
        assert timings["overhead"].count == 1
        assert timings["overhead"].p50 == pytest.approx(-150)


async def test_a_held_picture_shows_nothing_until_a_moderator_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        page = room.hub.join()
        request_id = await held(room)
        assert room.on_air() is None
        assert not any(isinstance(message := page.take(0.0), bytes) for _ in range(5)), message
        assert await room.state(request_id) == "held"
        room.now += 3
        await room.order("!ok")
        assert room.on_air() == b"harbour"
        assert await room.state(request_id) == "shown"


async def test_a_denied_picture_ends_refused(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        request_id = await held(room)
        await room.order("!no @ann")
        assert (room.on_air(), await room.state(request_id)) == (None, "refused")
        assert not await room.moderator.approve(request_id, "mod")


async def test_an_unclear_yes_asks_which_one_is_meant(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        await held(room)
        await held(room, "!bg forest", "ben")
        room.now += 3
        await room.order("!ok")
        assert room.on_air() is None
        await room.until(lambda: any("1 ann, 2 ben" in str(event) for event in room.notes.events))
        await room.order("!ok 2")
        assert room.on_air() == b"forest"


async def test_an_approval_names_the_very_picture_that_was_looked_at(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        request_id = await held(room)
        assert not await room.moderator.approve(request_id, "mod", "another verdict")
        (one,) = room.status().held
        assert await room.moderator.approve(request_id, "mod", one.verdict.id)
        assert room.on_air() == b"harbour"


async def test_what_is_taken_back_while_its_approval_is_written_stays_off(tmp_path: Path) -> None:
    ways: tuple[Callable[[Room, str], Awaitable[object]], ...] = (
        lambda room, request_id: room.controls.retract(Retraction("test", request_id, None, room.now)),
        lambda room, request_id: room.controls.panic(),
        lambda room, request_id: room.controls.clear("background"),
        lambda room, request_id: room.moderator.deny(request_id, "mod"),
    )
    for take_back in ways:
        async with opened(tmp_path / str(next(NUMBERS)), mode="on") as room:
            request_id = await held(room)
            room.now += 1
            approving = asyncio.create_task(room.moderator.approve(request_id, "mod"))
            await asyncio.sleep(0)
            await take_back(room, request_id)
            assert not await approving
            assert room.on_air() is None
            assert await room.state(request_id) in ("cancelled", "refused")


async def test_two_moderators_who_approve_at_once_air_it_once(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        request_id = await held(room)
        said = await asyncio.gather(*(room.moderator.approve(request_id, name) for name in ("ann", "ben")))
        assert sorted(said) == [False, True]


async def test_a_held_picture_nobody_decides_on_expires(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on", expires_s=60) as room:
        request_id = await held(room)
        room.now += 61
        await room.until(lambda: not room.status().held)
        assert await room.state(request_id) == "expired"


async def test_a_delayed_picture_airs_by_itself_unless_it_is_cut(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="off", delay_s=5) as room:
        request_id = await held(room)
        room.now += 5
        await room.until(lambda: room.on_air() == b"harbour")
        cut = await held(room, "!bg forest", "ben")
        await room.order("!cut")
        room.now += 6
        assert (await room.state(request_id), await room.state(cut)) == ("shown", "cancelled")
        assert room.on_air() == b"harbour"


async def test_a_first_message_is_held_and_a_known_viewers_is_not(room: Room) -> None:
    await room.admit.submit(room.trigger("!bg first", "new", first_time=True))
    await room.draw_next()
    await room.until(lambda: room.status().held)
    await room.say("!bg second", "ben")
    await room.draw_next()
    assert room.on_air() == b"second"


async def test_a_panic_while_the_verdict_is_written_keeps_the_picture_off(room: Room) -> None:
    request_id = await room.say("!bg harbour")
    await room.until(lambda: room.easel.drawn)
    admit = room.show.air_gate.clear

    async def slow(*arguments: object) -> object:
        cleared = await admit(*arguments)  # type: ignore[arg-type]
        await room.controls.panic()
        return cleared

    room.show.air_gate.clear = slow  # type: ignore[method-assign, assignment]
    room.easel.go.release()
    await room.until(lambda: room.status().drawing is None)
    assert (room.on_air(), await room.state(request_id)) == (None, "cancelled")


async def test_a_picture_whose_verdict_cannot_be_stored_is_not_shown(room: Room) -> None:
    request_id = await room.say("!bg harbour")
    await room.until(lambda: room.easel.drawn)
    await room.store.database.run(lambda db: db.execute("DROP TABLE verdicts"))
    room.easel.go.release()
    await room.until(lambda: room.status().drawing is None)
    assert (room.on_air(), await room.state(request_id)) == (None, "failed")


async def test_a_banned_viewer_loses_the_air_and_is_refused_until_the_ban_is_lifted(room: Room) -> None:
    await room.say("!bg harbour", "Ann")
    await room.draw_next()
    await room.order("!ban @ann")
    assert room.on_air() is None
    receipt = await room.admit.submit(room.trigger("!bg again", "Ann"))
    assert (receipt.rule, receipt.reason) == ("ban", "you cannot ask for pictures here")
    await room.order("!unban ann")
    await room.say("!bg again", "Ann")


async def test_a_ban_for_minutes_says_how_long_and_moderators_cannot_be_banned(room: Room) -> None:
    await room.order("!ban ann 30")
    assert (await room.admit.submit(room.trigger("!bg one"))).reason == "you can ask again in 30 min"
    await room.say("!bg mine", "vic", Role.MODERATOR)
    refused = await room.moderator.ban("vic", "mod")
    assert (refused.done, refused.text) == (False, "vic is a moderator; remove that role first")
    assert "vic" not in [ban.name for ban in room.show.bans.all()]


async def test_bans_outlive_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.order("!ban ann")
    async with opened(tmp_path) as room:
        assert (await room.admit.submit(room.trigger("!bg one"))).rule == "ban"


async def test_a_raid_holds_viewers_is_announced_and_is_over_by_itself(room: Room) -> None:
    room.automations.clear()
    room.script.lines.put_nowait(Notice("test", NoticeKind.RAID, room.now, count=300))
    await room.until(lambda: room.status().alarm)
    await room.until(lambda: any(isinstance(one, Toast) and "raid of 300" in one.text for one in room.notes.events))
    await held(room)
    room.now += 121
    await room.until(lambda: any(isinstance(one, Toast) and "over" in one.text for one in room.notes.events))
    kinds = [one.kind for one in room.notes.events if isinstance(one, Notice)]
    assert kinds == [NoticeKind.RAID, NoticeKind.RAID_MODE_ON, NoticeKind.RAID_MODE_OFF]
    await room.say("!bg calm", "ben")
    await room.draw_next()
    assert room.on_air() == b"calm"


async def test_a_flood_of_refusals_is_counted_and_told_once_a_person(room: Room) -> None:
    for _ in range(50):
        await room.admit.submit(room.trigger("!mods harbour"))
    await room.until(lambda: any(isinstance(one, Refused) for one in room.notes.events))
    assert sum(isinstance(one, Refused) for one in room.notes.events) == 1
    assert b'streamer_refusals_total{rule="role"} 50.0' in exposition(room.show)


async def test_panic_tells_of_the_points_to_give_back(room: Room) -> None:
    points = Redemption("red1", "reward")
    await room.admit.submit(room.trigger("!bg harbour", paid=True, redemption=points))
    await room.until(lambda: room.easel.drawn)
    await room.admit.submit(room.trigger("!bg forest", "ben", paid=True, redemption=Redemption("red2", "reward")))
    await room.controls.panic()
    await room.until(lambda: sum(isinstance(one, Ended) for one in room.notes.events) == 2)
    ended = {one.request.redemption.id: one.state for one in room.notes.events if isinstance(one, Ended)}  # type: ignore[union-attr]
    assert ended == {"red1": "cancelled", "red2": "cancelled"}


async def test_a_line_that_makes_us_stumble_does_not_end_the_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as room:
        run_steps = room.admit.run_steps

        def stumbling(request: ImageRequest, now: float) -> object:
            if "banana" in request.text:
                raise OverflowError("a bug of ours")
            return run_steps(request, now)

        monkeypatch.setattr(room.admit, "run_steps", stumbling)
        await room.script.lines.put(room.trigger("!bg banana"))
        await room.script.lines.put(room.trigger("!bg harbour", "ben"))
        await room.until(lambda: room.easel.drawn)


async def test_a_greeting_before_the_first_request_does_not_make_it_anybodys(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.admit.submit(room.trigger("hello", "new", first_time=True))
        await room.say("!bg harbour", "new")
        await room.draw_next()
        assert [held.reason for held in room.status().held] == ["the first message in this chat"]


async def test_an_edit_goes_with_the_picture_that_it_was_made_from(room: Room) -> None:
    first = await room.say("!bg harbour", "ann")
    await room.draw_next()
    await room.say("!edit make it winter", "ben")
    await room.draw_next()
    assert room.on_air() == b"make it winter"
    await room.say("!edit make it spring", "cleo")
    await room.until(lambda: len(room.easel.drawn) == 3)
    await room.controls.retract(Retraction("test", first, None, room.now))
    await room.until(lambda: room.status().drawing is None)
    assert room.on_air() is None
    room.now += 1
    await room.order("!redo")
    await room.order("!undo")
    assert room.on_air() is None


@pytest.mark.parametrize("what", ["panic", "clear", "delete", "ban"])
async def test_a_picture_that_is_looked_up_again_stays_away_when_it_is_taken_back_meanwhile(
    room: Room, what: str
) -> None:
    shown = await room.say("!bg harbour", "ann")
    await room.draw_next()
    room.now += 1
    await room.order("!clear")
    room.now += 1
    showing = asyncio.create_task(room.controls.show_again(shown))
    await asyncio.sleep(0)
    room.now += 1
    if what == "panic":
        await room.controls.panic()
    elif what == "clear":
        await room.controls.clear(None)
    else:
        message, actor = (shown, None) if what == "delete" else (None, "ann")
        await room.controls.retract(Retraction("test", message, actor, room.now))
    assert not await showing
    assert room.on_air() is None


async def test_a_picture_of_an_earlier_run_that_is_shown_again_goes_with_its_author(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        shown = await room.say("!bg harbour", "ann")
        await room.draw_next()
        await room.order("!clear")
    async with opened(tmp_path) as room:
        room.now += 1
        assert await room.controls.show_again(shown)
        await room.controls.retract(Retraction("test", None, "ann", room.now))
        assert room.on_air() is None


async def test_a_panic_on_a_full_disk_is_blank_after_a_restart_and_after_the_next(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.say("!bg harbour")
        await room.draw_next()
        await room.store.database.run(lambda db: db.execute("PRAGMA query_only = ON"))
        with pytest.raises(StoreError):
            await room.controls.panic()
        assert room.on_air() is None
    async with opened(tmp_path) as room:
        assert room.on_air() is None
        assert room.status().paused
        await room.controls.resume()
    async with opened(tmp_path) as room:
        assert room.on_air() is None
        assert not room.status().paused


@pytest.mark.parametrize("closed", ["pause", "raid", "shield"])
async def test_a_delayed_picture_waits_for_a_human_when_it_is_closed_or_risky_meanwhile(
    tmp_path: Path, closed: str
) -> None:
    async with opened(tmp_path, delay_s=2) as room:
        await room.say("!bg harbour", "ann")
        await room.draw_next()
        await room.until(lambda: room.status().held)
        await close(room, closed)
        room.now += 2.5
        await room.until(lambda: not room.status().held[0].auto_release)
        assert room.on_air() is None
        await room.order("!resume")
        assert await room.moderator.approve(room.status().held[0].request.id, "panel")
        assert room.on_air() == b"harbour"


async def test_what_was_let_in_before_a_raid_is_held_when_it_is_drawn_in_it(room: Room) -> None:
    await room.say("!bg harbour", "ann")
    await room.until(lambda: room.easel.drawn)
    await close(room, "raid")
    room.easel.go.release()
    await room.until(lambda: room.status().held)
    assert room.on_air() is None


async def close(room: Room, how: str) -> None:
    if how == "pause":
        await room.controls.pause()
        return
    kind = NoticeKind.RAID if how == "raid" else NoticeKind.SHIELD_ON
    await room.admit.observe(Notice("test", kind, room.now, count=50))
