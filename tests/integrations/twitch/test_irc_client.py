"""The IRC client against a real server: it joins, reads, survives and reconnects."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from streamer.integrations.twitch.chat_merge import ChatMerger
from streamer.integrations.twitch.irc_client import IrcClient
from streamer.integrations.twitch.timeouts import Timeouts
from streamer.interfaces import SourceEvent
from streamer.types import Retraction, Trigger
from tests.support.irc_server import IrcServer, chat_line
from tests.support.lossy_network import lossy_network

HASTY = Timeouts(first_retry_s=0.01, longest_retry_s=0.05)


class Listener:
    """A client being listened to, and the events it yielded."""

    def __init__(self, source: IrcClient) -> None:
        self.source = source
        self._events: asyncio.Queue[SourceEvent] = asyncio.Queue(1000)

    async def run(self) -> None:
        async for event in self.source.listen():
            self._events.put_nowait(event)

    async def next(self) -> SourceEvent:
        async with asyncio.timeout(20):
            return await self._events.get()

    async def next_text(self) -> str:
        event = await self.next()
        assert isinstance(event, Trigger)
        return event.text

    async def until(self, state: str, detail: str = "") -> None:
        async with asyncio.timeout(20):
            while self.source.state != state or detail not in self.source.detail():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def listening(server: IrcServer, timeouts: Timeouts = HASTY, url: str = "") -> AsyncIterator[Listener]:
    listener = Listener(IrcClient(url or server.url, server.channel, ChatMerger(server.channel), timeouts))
    task = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        assert not task.done(), task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_joins_without_an_account_and_reads() -> None:
    async with IrcServer() as server, listening(server) as listener:
        await server.joined()
        await server.say("!bg castle", "Ann")
        assert await listener.next_text() == "!bg castle"
        assert (listener.source.state, listener.source.detail()) == ("ready", "")
        assert server.received[0] == "CAP REQ :twitch.tv/tags twitch.tv/commands"
        assert server.received[1].startswith("NICK justinfan")
        assert server.received[2:] == ["JOIN #harbour"]


async def test_pings_are_answered() -> None:
    async with IrcServer() as server, listening(server) as listener:
        await server.joined()
        await server.ping()
        await server.heard("PONG :tmi.twitch.tv")
        assert listener.source.state == "ready"


async def test_several_lines_in_one_frame_are_all_read_in_order() -> None:
    async with IrcServer() as server, listening(server) as listener:
        await server.joined()
        await server.send(*(chat_line("harbour", f"line {n}", "ann", message_id=f"m{n}") for n in range(50)))
        assert [await listener.next_text() for _ in range(50)] == [f"line {n}" for n in range(50)]


async def test_malformed_lines_cost_themselves_and_are_counted() -> None:
    async with IrcServer() as server, listening(server) as listener:
        await server.joined()
        await server.send("@", ":", "@id=1 PRIVMSG", "\x00\x01\x02")
        await server.send_raw(b"\xff\xfe\x80\r\n")
        await server.send_raw(b"")
        await server.say("still here")
        assert await listener.next_text() == "still here"
        assert listener.source.detail() == "4 unreadable lines"
        assert server.connections == 1


async def test_deletions_and_bans_arrive() -> None:
    async with IrcServer() as server, listening(server) as listener:
        await server.joined()
        message_id = await server.say("!bg castle", "ann", user_id="7")
        await server.delete(message_id)
        await server.ban("ann", "7")
        await server.clear()
        await listener.next()
        taken_back = [await listener.next() for _ in range(3)]
        assert [(item.message_id, item.actor_id) for item in taken_back if isinstance(item, Retraction)] == [
            (message_id, None),
            (None, "7"),
            (None, None),
        ]


async def test_it_comes_back_when_told_to_reconnect() -> None:
    async with IrcServer() as server, listening(server) as listener:
        await server.joined()
        await server.reconnect()
        await server.joined(2)
        await server.say("hello again")
        assert await listener.next_text() == "hello again"
        assert server.connections == 2


async def test_lines_before_a_reconnect_in_the_same_frame_are_not_lost() -> None:
    async with IrcServer() as server, listening(server) as listener:
        await server.joined()
        await server.send(chat_line("harbour", "last words", "ann"), ":tmi.twitch.tv RECONNECT")
        assert await listener.next_text() == "last words"
        await server.joined(2)


async def test_it_comes_back_after_an_abrupt_reset() -> None:
    async with IrcServer() as server, listening(server) as listener:
        for times in range(1, 4):
            await server.joined(times)
            await server.say(f"line {times}")
            assert await listener.next_text() == f"line {times}"
            await server.reset()
        await server.joined(4)


async def test_it_waits_for_a_server_that_is_down_and_says_so() -> None:
    async with IrcServer() as server, listening(server) as listener:
        await server.joined()
        await server.stop()
        await listener.until("reconnecting", "attempt 3")
        await server.start()
        await server.joined(2)
        await listener.until("ready")
        assert "attempt" not in listener.source.detail()


async def test_a_message_delivered_again_after_a_reconnect_is_heard_once() -> None:
    async with IrcServer() as server, listening(server) as listener:
        await server.joined()
        await server.say("one", message_id="m1")
        await server.reset()
        await server.joined(2)
        await server.say("one", message_id="m1")
        await server.say("two", message_id="m2")
        assert [await listener.next_text(), await listener.next_text()] == ["one", "two"]


async def test_silence_without_an_answer_to_ping_means_a_new_connection() -> None:
    timeouts = Timeouts(quiet_s=0.05, pong_s=0.05, first_retry_s=0.01, longest_retry_s=0.02)
    async with IrcServer() as server, listening(server, timeouts) as listener:
        server.answers_pings = False
        await server.joined(2)
        assert "PING :streamer" in server.received
        server.answers_pings = True
        await listener.until("ready")


async def test_a_network_that_drops_everything_means_a_new_connection_and_the_next_line_is_heard() -> None:
    timeouts = Timeouts(quiet_s=0.1, pong_s=0.1, first_retry_s=0.01, longest_retry_s=0.02)
    async with IrcServer() as server, lossy_network(server.port) as network:
        url = f"ws://127.0.0.1:{network.port}"
        async with listening(server, timeouts, url) as listener:
            await listener.until("ready")
            network.cut()
            await listener.until("reconnecting", "no answer for 0.1 s")
            await listener.until("ready")
            await server.say("after the cut")
            assert await listener.next_text() == "after the cut"


def test_a_connection_that_died_silently_is_noticed_within_a_minute() -> None:
    timeouts = Timeouts()
    assert timeouts.quiet_s + timeouts.pong_s < 45
    assert timeouts.join_s + timeouts.pong_s < 45
    assert timeouts.first_retry_s + timeouts.open_s < 15


async def test_silence_with_an_answer_to_ping_keeps_the_connection() -> None:
    timeouts = Timeouts(quiet_s=0.02, pong_s=20)
    async with IrcServer() as server, listening(server, timeouts) as listener:
        await server.joined()
        await server.heard("PING :streamer", 3)
        await server.say("quiet here")
        assert await listener.next_text() == "quiet here"
        assert server.connections == 1


async def test_a_channel_that_is_never_confirmed_is_named() -> None:
    timeouts = Timeouts(join_s=0.02, pong_s=20)
    async with IrcServer() as server:
        server.confirms_joins = False
        async with listening(server, timeouts) as listener:
            await listener.until("connecting", "Twitch does not confirm #harbour; check the name")


async def test_a_refusal_by_twitch_is_passed_on() -> None:
    async with IrcServer() as server:
        server.confirms_joins = False
        async with listening(server) as listener:
            await server.heard("JOIN #harbour")
            await server.send(
                "@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #harbour :This channel is suspended."
            )
            await listener.until("connecting", "Twitch says: This channel is suspended.")


@pytest.mark.parametrize(
    ("attempt", "jitter", "pause"), [(0, 1, 0.25), (0, 0, 0.125), (1, 1, 0.5), (4, 1, 4), (7, 1, 30), (10**9, 0, 15)]
)
def test_pauses_double_up_to_a_cap_and_never_fall_in_step(attempt: int, jitter: float, pause: float) -> None:
    assert Timeouts().retry_s(attempt, jitter) == pause
