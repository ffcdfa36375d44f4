"""Channel points and replies the whole way: a viewer redeems on Twitch, the real program draws, and Twitch is told."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx

from tests.support.real_program import CONFIG, OPERATOR, command, environment, free_port, wait_until_ready
from tests.support.twitch_api import TwitchApi
from tests.support.twitch_standin.standin import SCOPES
from tests.support.waiting import until

CHANNEL = """\
triggers: [{{use: twitch, channel: harbour, irc_url: '{irc_url}'}}]
outputs:
  - use: rewards
    rewards: {{draw: {{title: Draw, cost: 500, command: "!bg {{text}}"}}}}
  - {{use: chat_reply}}
"""


def open_for_sale(api: TwitchApi) -> bool:
    return any(one["title"] == "Draw" and not one["is_paused"] for one in api.rewards.rewards.values())


async def test_points_are_earned_by_a_picture_on_air_and_go_back_otherwise(tmp_path: Path) -> None:
    config, port, home = tmp_path / "config.yaml", free_port(), tmp_path / "home"
    async with TwitchApi() as api:
        api.world.live = True
        api.log_in(home, *SCOPES)
        config.write_text(CONFIG + api.config + CHANNEL.format(irc_url=api.irc_url), encoding="utf-8")
        environ, url = environment(home, port, config), f"http://127.0.0.1:{port}"
        with command("run", environ=environ, log=tmp_path / "log") as program:
            await asyncio.to_thread(wait_until_ready, url)
            await until(lambda: open_for_sale(api))
            await api.subscribed("channel.channel_points_custom_reward_redemption.add")
            reward = api.rewards.titled("Draw")
            drawn = await api.redeem(reward, "ann", "stormy harbour")
            await until(lambda: drawn.status == "FULFILLED")
            refused = await api.redeem(reward, "bob", "forbiddenword")
            await until(lambda: refused.status == "CANCELED")
            await until(lambda: len(api.speech.sent) == 2)
            assert api.speech.sent[0].text == "Drawn for you, ann"
            assert api.speech.sent[1].text.endswith("Your points come back.")
            async with httpx.AsyncClient(headers={"authorization": f"Bearer {OPERATOR}"}) as operator:
                await operator.post(f"{url}/api/v1/panic")
                await until(lambda: not open_for_sale(api))
                await operator.post(f"{url}/api/v1/resume")
                await until(lambda: open_for_sale(api))
            program.send_signal(signal.SIGINT)
            await asyncio.to_thread(program.wait, 10)
        assert not open_for_sale(api), "a program that has ended sells nothing"
        assert (drawn.settled, refused.settled) == (1, 1)
    printed = (tmp_path / "log").read_text()
    assert "Traceback" not in printed
