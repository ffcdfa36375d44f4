"""Replies against a Twitch of our own: said once, in time, and silent when Twitch wants silence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.integrations.twitch import replies
from streamer.outputs import chat_reply
from streamer.outputs.chat_reply import ChatReply, Options
from streamer.types import Actor, Answer, Ended, Refusal, Refused, RequestState, Role, Trigger
from tests.support.examples import REQUEST
from tests.support.twitch_api import WRITE, TwitchApi
from tests.support.waiting import until

BUSY = Refusal("t", "queue", "too many pictures wait")


@pytest.fixture
async def output(api: TwitchApi, tmp_path: Path) -> AsyncIterator[ChatReply]:
    api.log_in(tmp_path, WRITE)
    account = api.account(tmp_path, {WRITE: "replies"})
    built = ChatReply(Options(stale_s=3.0), account, str)
    running = asyncio.create_task(built.run())
    yield built
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await account.close()


def drawn(name: str) -> Ended:
    actor = Actor(f"id-{name}", name, Role.VIEWER)
    return Ended(replace(REQUEST, id=f"line-{name}", actor=actor, source="twitch"), RequestState.SHOWN)


async def test_a_reply_hangs_on_the_message_it_answers(api: TwitchApi, output: ChatReply) -> None:
    await output.publish(drawn("Ann"))
    await output.publish(Answer("line-2", "twitch", Actor("2", "Bob", Role.VIEWER), "!bg !meme"))
    await until(lambda: len(api.speech.sent) == 2)
    first, second = api.speech.sent
    assert (first.text, first.parent, first.sender_id) == ("Drawn for you, Ann", "line-Ann", "1000")
    assert (second.text, second.parent) == ("Note: !bg !meme", "line-2")
    await until(lambda: output.health().state == "ready")


async def test_a_flood_of_reasons_to_answer_stays_below_the_limit_and_leaves_no_late_replies(
    api: TwitchApi, output: ChatReply
) -> None:
    for number in range(60):
        await output.publish(drawn(f"viewer{number}"))
    await until(lambda: len(api.speech.sent) >= 8)
    await asyncio.sleep(1.5)
    assert len(api.speech.sent) == 8
    assert api.speech.dropped == []


async def test_ourselves_and_other_bots_are_not_answered(api: TwitchApi, output: ChatReply) -> None:
    me = drawn("Harbour")
    await output.publish(replace(me, request=replace(me.request, actor=Actor("1000", "Harbour", Role.BROADCASTER))))
    await output.publish(drawn("StreamElements"))
    await output.publish(drawn("Ann"))
    await until(lambda: api.speech.sent)
    assert [message.text for message in api.speech.sent] == ["Drawn for you, Ann"]


async def test_a_dropped_reply_is_not_repeated_and_its_reason_is_shown(
    api: TwitchApi, output: ChatReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(replies.DROPPED_S, "msg_slowmode", 0.5)
    api.speech.drop.append(("msg_slowmode", "This room is in slow mode."))
    began = time.monotonic()
    await output.publish(drawn("Ann"))
    await until(lambda: output.health().state == "limited")
    assert "slow mode" in output.health().detail
    await output.publish(drawn("Bob"))
    await until(lambda: api.speech.sent)
    assert time.monotonic() - began >= 0.5
    assert [message.text for message in api.speech.sent] == ["Drawn for you, Bob"]
    await until(lambda: output.health().state == "ready")


async def test_a_fault_costs_the_reply_and_not_a_second_one(
    api: TwitchApi, output: ChatReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_reply, "FAULT_S", 0.05)
    api.faults.inject("POST", "/chat/messages", 500, done=True)
    await output.publish(drawn("Ann"))
    await until(lambda: output.health().state == "reconnecting")
    await output.publish(drawn("Bob"))
    await until(lambda: len(api.speech.sent) == 2)
    await asyncio.sleep(0.2)
    assert [message.text for message in api.speech.sent] == ["Drawn for you, Ann", "Drawn for you, Bob"]


async def test_without_the_scope_nothing_is_said_and_the_panel_knows(api: TwitchApi, tmp_path: Path) -> None:
    api.log_in(tmp_path, "user:read:chat")
    account = api.account(tmp_path)
    output = ChatReply(Options(), account, str)
    running = asyncio.create_task(output.run())
    await output.publish(drawn("Ann"))
    await until(lambda: output.health().state == "off")
    assert WRITE in output.health().detail
    assert api.faults.count("POST /helix/chat") == 0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await account.close()


async def test_a_bot_account_answers_in_the_channel_that_is_named(api: TwitchApi, tmp_path: Path) -> None:
    api.log_in(tmp_path, WRITE)
    api.world.user("partner")
    account = api.account(tmp_path)
    output = ChatReply(Options(channel="#Partner"), account, str)
    access = await account.tokens.access()
    assert await output._look_up_channel(access) == api.world.user("partner").id
    await account.close()
    assert await ChatReply(Options(channel="harbour"), account, str)._look_up_channel(access) == "1000"


def test_replies_ask_for_one_scope_and_a_link_must_be_https_with_a_place_for_the_id() -> None:
    assert chat_reply.scopes(Options()) == {WRITE: "chat replies"}
    for link in ("http://x/{id}", "https://x/", "x"):
        with pytest.raises(ValueError, match="link"):
            Options(link=link)


async def test_who_was_accepted_and_waited_is_answered_before_who_was_refused(
    api: TwitchApi, output: ChatReply
) -> None:
    refused = [
        Refused(Trigger(f"t{n}", "twitch", "!bg", Actor(f"r{n}", f"refused{n}", Role.VIEWER), 0.0), BUSY)
        for n in range(3)
    ]
    for event in refused:
        await output.publish(event)
    await output.publish(replace(drawn("waited"), state=RequestState.EXPIRED, rule="waited", reason="no time left"))
    await until(lambda: len(api.speech.sent) == 4)
    assert [said.text for said in api.speech.sent] == [
        "Sorry, waited: no time left.", *[f"Sorry, refused{n}: too many pictures wait." for n in range(3)],
    ]  # fmt: skip
