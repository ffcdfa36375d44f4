"""The verbs about people; the whole way is tested with the pipeline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streamer.errors import StoreError
from streamer.moderation.policy import Policy
from streamer.moderation.rules import words
from streamer.types import Actor, Answer, Ended, Notice, NoticeKind, Retraction, Role, Toast
from tests.support.show import Room, opened


async def test_a_ban_by_hand_needs_a_name_and_an_unban_somebody_who_is_out(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.order("!ban")
        await room.order("!unban nobody")
        await room.until(lambda: any("usage: !ban NAME [minutes]" in str(event) for event in room.notes.events))
        await room.until(lambda: any("nobody is not banned" in str(event) for event in room.notes.events))
        assert room.status().bans == ()


async def test_too_many_refused_texts_are_a_ban_and_raise_the_alarm(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for _ in range(3):
            room.show.strike(room.trigger("", "ann").actor, room.now)
        assert [ban.name for ban in room.status().bans] == ["ann"]
        assert room.status().alarm == "3 refused texts within a minute"
        await room.say("!bg fine", "mod", Role.MODERATOR)


async def test_a_flood_of_refused_texts_writes_few_verdicts(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for n in range(200):
            await room.admit.submit(room.trigger("!bg forbiddenword", f"u{n}"))
        rows = await room.store.audit.entries(0.0)
        # The test's clock goes on by a millisecond a line.
        assert 1 <= len(rows) <= 5
        assert {row["outcome"] for row in rows} == {"block"}


async def test_what_the_overlay_says_about_people_has_passed_the_gate_for_names(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        await room.say("!bg harbour", "forbiddenword")
        room.easel.go.release()
        await room.until(lambda: room.status().held)
        for line in ("!ok 99", "!ban forbiddenword 5", "!unban forbiddenword", "!unban forbiddenword"):
            await room.order(line)
        await room.until(lambda: any("a viewer is not banned" in str(event) for event in room.notes.events))
        told = [event for event in room.notes.events if isinstance(event, Toast | Answer)]
        assert any("a viewer is banned for 5 min" in event.text for event in told)
        assert not any("forbiddenword" in event.text for event in told)


async def test_a_ban_of_more_minutes_than_there_are_is_one_for_good(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.order("!ban ann " + "9" * 400)
        receipt = await room.admit.submit(room.trigger("!bg harbour", "ann"))
        assert (receipt.outcome, receipt.rule) == ("refused", "ban")
        assert [ban.until for ban in room.status().bans] == [None]


async def test_viewers_who_ask_again_and_again_get_few_toasts_on_the_overlay(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for n in range(300):
            await room.admit.submit(room.trigger("!queue", f"u{n}"))
            await room.admit.submit(room.trigger("!help", "ann"))
        await room.until(lambda: any(isinstance(event, Toast) for event in room.notes.events))
        assert len([event for event in room.notes.events if isinstance(event, Toast)]) <= 4
        await room.order("!queue")


async def test_who_asks_to_be_forgotten_twice_at_once_is_forgotten_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        said = [await room.admit.submit(room.trigger("!forgetme", "ann")) for _ in range(3)]
        assert [receipt.outcome for receipt in said] == ["done", "refused", "refused"]
        assert (await room.admit.submit(room.trigger("!forgetme", "ben"))).outcome == "done"


async def test_a_ban_may_name_an_id_in_any_letters(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.admit.submit(room.trigger("!bg harbour", "Ann", id_="UCabc"))
        said = [(await room.moderator.ban(words, "panel")).text for words in ("UCabc", "UCxyz")]
        assert said == ["Ann is banned", "ucxyz is banned, but nobody called so has written here yet"]
        for key, name in (("UCabc", "Renamed"), ("UCxyz", "Ben")):
            receipt = await room.admit.submit(room.trigger("!bg harbour", name, id_=key))
            assert (receipt.outcome, receipt.rule) == ("refused", "ban")
        assert (await room.moderator.unban("ucabc")).done


FOXY = Actor("77", "Лисица", Role.VIEWER, "foxy")
TYPED = ("foxy", "@Foxy", "77", "лисица", "@ЛИСИЦА")


async def says(room: Room, actor: Actor, text: str = "!bg harbour") -> str:
    """Let somebody write; return the rule that refuses it, or an empty string."""
    trigger = replace(room.trigger(text), actor=actor)
    return (await room.admit.submit(trigger)).rule


@pytest.mark.parametrize("typed", TYPED)
async def test_whatever_a_moderator_types_bans_and_unbans_a_viewer_with_a_name_in_another_script(
    tmp_path: Path, typed: str
) -> None:
    async with opened(tmp_path) as room:
        await says(room, FOXY, "just chatting")
        answer = await room.moderator.ban(typed, "mod", 5)
        assert (answer.done, answer.text) == (True, "Лисица (foxy) is banned for 5 min")
        assert [(ban.who, ban.login) for ban in room.status().bans] == [("77", "foxy")]
        assert await says(room, FOXY) == "ban"
        answer = await room.moderator.unban(typed)
        assert (answer.done, answer.text) == (True, "Лисица (foxy) may ask again")
        assert await says(room, FOXY) == ""
        assert (await room.moderator.unban(typed)).text == "Лисица (foxy) is not banned"


async def test_a_ban_takes_back_what_the_viewer_asked_for_by_whatever_name(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        assert await says(room, FOXY) == ""
        await room.draw_next()
        await room.order("!ban @foxy")
        assert room.on_air() is None


async def test_somebody_who_was_never_seen_is_banned_by_login_and_the_answer_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.order("!ban @Foxy 30")
        await room.show.publisher.notified()
        told = [event.text for event in room.notes.events if isinstance(event, Toast)]
        assert told == ["foxy is banned for 30 min, but nobody called so has written here yet"]
        assert await says(room, FOXY) == "ban"
        assert (await room.moderator.unban("лисица")).done
        assert await says(room, FOXY) == ""


async def test_a_shown_name_of_several_people_bans_nobody_and_lists_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        twins = [Actor("1", "Лисица", Role.VIEWER, "foxy"), Actor("2", "лисица", Role.VIEWER, "vixen")]
        for actor in twins:
            await says(room, actor, "hello")
        text = "several people are called Лисица: Лисица (foxy), лисица (vixen); say which one"
        for decision in (await room.moderator.ban("@Лисица", "mod"), (await room.moderator.forget("Лисица")).decision):
            assert (decision.done, decision.text) == (False, text)
        assert room.status().bans == ()
        for actor in twins:
            await room.moderator.ban(actor.id, "mod")
        assert (await room.moderator.unban("Лисица")).text == text
        assert (await room.moderator.unban("vixen")).done


async def test_a_shown_name_that_is_somebody_elses_login_means_the_login(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await says(room, Actor("1", "Foxy", Role.VIEWER, "pretender"), "hello")
        await says(room, FOXY, "hello")
        assert (await room.moderator.ban("foxy", "mod")).people == (FOXY,)


async def test_a_ban_survives_a_rename_and_is_lifted_under_the_new_name(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await says(room, FOXY)
        await room.order("!ban foxy")
        renamed = Actor("77", "Енот", Role.VIEWER, "raccoon")
        assert await says(room, renamed) == "ban"
        assert (await room.moderator.unban("raccoon")).done
        assert await says(room, renamed) == ""


async def test_a_moderators_shown_name_and_login_are_known_to_belong_to_a_moderator(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await says(room, replace(FOXY, role=Role.MODERATOR), "hello")
        await room.admit.observe(Notice("test", NoticeKind.CHEER, room.now, FOXY, 100))
        for typed in TYPED:
            decision = await room.moderator.ban(typed, "mod")
            assert (decision.done, "is a moderator" in decision.text) == (False, True)


async def test_whoever_raided_or_followed_can_be_banned_by_login_before_they_write(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.admit.observe(Notice("test", NoticeKind.FOLLOW, room.now, FOXY))
        assert (await room.moderator.ban("foxy", "mod")).text == "Лисица (foxy) is banned"


async def test_who_asked_before_a_restart_is_found_by_every_name_after_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        assert await says(room, FOXY) == ""
        await room.draw_next()
    async with opened(tmp_path) as room:
        assert (await room.moderator.ban("@foxy", "mod")).text == "Лисица (foxy) is banned"


@pytest.mark.parametrize("typed", TYPED)
async def test_somebody_is_forgotten_by_any_name(tmp_path: Path, typed: str) -> None:
    async with opened(tmp_path) as room:
        await says(room, FOXY)
        await room.draw_next()
        forgotten = await room.moderator.forget(typed)
        assert (forgotten.requests, forgotten.decision.text) == (1, "Лисица (foxy) is forgotten")
        assert await says(room, FOXY) == "forgotten"
        assert (await room.moderator.unban(typed)).done
        assert await says(room, FOXY) == ""


async def test_forgetting_somebody_who_is_not_known_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        forgotten = await room.moderator.forget("nobody")
        assert forgotten.decision.text == "nobody called nobody is known here; whoever has this id is forgotten"


async def test_a_name_that_nobody_vouches_for_takes_nothing_of_its_real_owner_along(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.order("!ban foxy")
        trigger = replace(room.trigger("!forgetme"), actor=Actor("http:1", "foxy", Role.VIEWER))
        await room.admit.submit(trigger, decides=False)
        assert await says(room, FOXY) == "ban"


async def test_a_held_picture_is_approved_by_any_name_of_whoever_asked(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        for typed in TYPED:
            assert await says(room, FOXY, f"!bg harbour {typed}") == ""
            await room.draw_next()
            await room.until(lambda: room.status().held)
            await room.order(f"!ok {typed}")
            await room.until(lambda: not room.status().held)
        assert room.on_air() is not None


async def test_a_moderator_is_not_banned_by_id_either(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.admit.submit(room.trigger("!bg harbour", "mod", Role.MODERATOR, id_="77"))
        assert not (await room.moderator.ban("77", "panel")).done


async def test_a_decision_that_cannot_be_written_down_ends_each_request_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, mode="on") as room:
        first = await room.say("!bg harbour", "ann")
        second = await room.say("!bg harbour", "ben")
        await room.draw_next()
        await room.until(lambda: room.status().held)

        async def admit(*args: object) -> object:
            await room.controls.retract(Retraction("test", second, None, room.now))
            raise StoreError("disk", "full")

        monkeypatch.setattr(room.show.air_gate, "clear", admit)
        assert not await room.moderator.approve(first, "panel")
        assert room.status().held == ()
        await room.until(lambda: len([one for one in room.notes.events if isinstance(one, Ended)]) == 2)
        assert {one.request.id for one in room.notes.events if isinstance(one, Ended)} == {first, second}


async def test_a_name_on_air_holds_nothing_invisible(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        assert room.show.display_name("a\x00\x1b[31m\u202enn") == "a[31mnn"
        assert room.show.display_name("\u202e") == "a viewer"


async def test_the_panel_says_a_name_in_the_form_in_which_the_overlay_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as room:
        monkeypatch.setattr(room.show, "policy", Policy([words.create(words.Options(extra=("marmalade",)))]))
        people = [
            Actor("u1", name, Role.VIEWER, login)
            for name, login in (("Ann", "ann_"), ("Marmalade", "ann_"), ("xX_MARMALADE", "marmalade7"))
        ]
        shown = [room.show.shown_actor(person) for person in people]
        assert [(actor.id, actor.name, actor.login) for actor in shown] == [
            ("u1", "Ann", "ann_"), ("u1", "a viewer", "ann_"), ("u1", "a viewer", ""),
        ]  # fmt: skip
        assert [room.show.display_name(person.name) for person in people] == ["Ann", "a viewer", "a viewer"]


async def test_what_moderators_and_the_streamer_type_raises_no_alarm(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for n, rank in enumerate((Role.MODERATOR, Role.BROADCASTER, Role.MODERATOR, Role.BROADCASTER)):
            receipt = await room.admit.submit(room.trigger(f"!bg forbiddenword {n}", "boss", rank))
            assert receipt.rule == "words"
        assert room.status().alarm == ""
