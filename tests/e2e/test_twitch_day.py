"""A day on Twitch within seconds: the real program against the stand-in, while everything that can go wrong does."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

from tests.support.twitch_program import on_air
from tests.support.twitch_standin.rewards import Refused
from tests.support.twitch_standin.standin import Standin
from tests.support.waiting import until

SEED = 20261127
LINES, REDEMPTIONS, FAULT_EVERY = 90, 24, 5
TERMINAL = {"shown", "superseded", "refused", "expired", "cancelled", "failed"}


def faults(twitch: Standin, chance: random.Random) -> list[Callable[[], Awaitable[None]]]:
    """List what goes wrong on such a day."""
    events, posts = twitch.eventsub, "/eventsub/subscriptions"

    async def close() -> None:
        await events.close(chance.choice([4000, 4002, 4003, 4004, 4005, 4006, 4007]))

    async def twice() -> None:
        events.twice = not events.twice

    async def shuffle() -> None:
        events.shuffle = 0 if events.shuffle else 4
        await events.release()

    async def expire() -> None:
        twitch.grants.expire_access()

    async def busy() -> None:
        twitch.faults.inject("POST", posts, chance.choice([429, 500]), times=3, headers={"Ratelimit-Reset": "0"})

    async def unsettled() -> None:
        # Done and not answered: whoever asks again must not settle twice.
        twitch.faults.inject("PATCH", "/redemptions", 500, times=1, done=True)

    async def orphans() -> None:
        events.keeps_orphans = not events.keeps_orphans

    async def silence() -> None:
        events.silent = True
        await asyncio.sleep(0.3)
        events.silent = False

    return [events.reset, close, events.reconnect, twitch.irc.reset, twitch.irc.reconnect, twice, shuffle, expire, busy,
            unsettled, orphans, silence]  # fmt: skip


async def live_through(twitch: Standin, chance: random.Random) -> None:
    """Let viewers ask and pay, moderators delete and ban, and Twitch fail, all mixed up."""
    wrong, reward, said = faults(twitch, chance), twitch.rewards.titled("Picture"), []
    steps = ["line"] * LINES + ["redeem"] * REDEMPTIONS + ["delete"] * 4 + ["ban"] * 3
    chance.shuffle(steps)
    for number, step in enumerate(steps):
        viewer = f"viewer{number}"
        if step == "line":
            said.append((await twitch.say(f"!bg thing {number}", viewer), viewer))
        elif step == "redeem":
            with suppress(Refused):  # paused: nobody can pay now
                await twitch.redeem(reward, viewer, f"prize {number}")
        elif said:
            message_id, author = chance.choice(said)
            await (twitch.delete(message_id) if step == "delete" else twitch.ban(author))
        if number % FAULT_EVERY == 0:
            await chance.choice(wrong)()
        await asyncio.sleep(0.02)
    twitch.faults.clear()
    twitch.eventsub.silent = twitch.eventsub.twice = twitch.eventsub.keeps_orphans = False
    twitch.eventsub.shuffle = 0
    await twitch.eventsub.release()


def rows(home: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(f"file:{home / 'streamer.db'}?mode=ro", uri=True)) as db:
        return db.execute("SELECT id, text, state FROM requests").fetchall()


async def test_every_line_and_every_redemption_has_one_outcome_at_the_end_of_the_day(tmp_path: Path) -> None:
    async with Standin() as twitch, on_air(twitch, tmp_path) as remote:
        await until(lambda: twitch.rewards.rewards)
        await twitch.subscribed("channel.chat.message", "channel.channel_points_custom_reward_redemption.add")
        await until(lambda: not twitch.rewards.titled("Picture")["is_paused"])
        await live_through(twitch, random.Random(SEED))

        redeemed = twitch.rewards.redemptions
        await until(lambda: all(one.status != "UNFULFILLED" for one in redeemed.values()), 90)
        await until(lambda: rows(remote.home) and all(state in TERMINAL for _, _, state in rows(remote.home)), 60)
        told = rows(remote.home)
        texts = Counter(text for _, text, _ in told)
        assert max(texts.values()) == 1, "a line was answered twice"
        assert len([text for text in texts if text.startswith("thing")]) >= LINES * 0.8
        assert all(one.settled == 1 for one in redeemed.values()), "a redemption was settled twice"
        states = {request_id: state for request_id, _, state in told}
        for one in redeemed.values():
            assert (one.status == "FULFILLED") == (states.get(one.id) == "shown"), (one.id, one.status)
        assert sum(one.status == "FULFILLED" for one in redeemed.values()) > 0
        health = {one["name"]: one for one in (await remote.status())["sources"]}
        assert health["twitch"]["state"] == "ready", health
