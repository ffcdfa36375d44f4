"""Runs the real program, logged in, against the stand-in for Twitch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.real_program import Remote, client, command, environment, free_port, wait_until_ready
from tests.support.twitch_standin.standin import Standin

CONFIG = """\
generator: {{use: procedural}}
approval: {{mode: off}}
twitch: {{client_id: {client_id}, id_url: "{id_url}", helix_url: "{helix_url}", eventsub_url: "{eventsub_url}", emotes: {{strip: false}}}}
triggers:
  - {{use: twitch, channel: harbour, irc_url: "{irc_url}"}}
policy: [{{use: role}}]
queue: {{limit: 200, per_viewer: 3, expires_s: 60}}
commands:
  bg: {{kind: background, layer: background, width: 64, height: 64, num_inference_steps: 1}}
layers:
  background: {{use: background, crossfade_s: 0, at_least_s: 0}}
outputs:
  - use: rewards
    while_offline: true
    look_s: 0.5
    orphan_s: 5
    rewards: {{picture: {{title: Picture, cost: 100, command: "!bg {{text}}"}}}}
"""  # noqa: E501


@asynccontextmanager
async def on_air(twitch: Standin, folder: Path) -> AsyncIterator[Remote]:
    """Run ``streamer run``, logged in, against the stand-in."""
    home, port = folder / "home", free_port()
    config = folder / "config.yaml"
    urls = {name: getattr(twitch, name) for name in ("client_id", "id_url", "helix_url", "eventsub_url", "irc_url")}
    config.write_text(CONFIG.format(**urls), encoding="utf-8")
    tokens = twitch.tokens()
    pair = {
        "client_id": twitch.client_id, "access_token": tokens["access_token"], "scopes": tokens["scope"],
        "refresh_token": tokens["refresh_token"], "user_id": twitch.channel.id, "login": twitch.channel.login,
    }  # fmt: skip
    (home / "secrets").mkdir(parents=True, mode=0o700)
    (home / "secrets" / "twitch.json").write_text(json.dumps(pair), encoding="utf-8")
    (home / "secrets" / "twitch.json").chmod(0o600)
    url = f"http://127.0.0.1:{port}"
    with command("run", environ=environment(home, port, config), log=folder / "log"):
        await asyncio.to_thread(wait_until_ready, url)
        async with client(url) as speaking:
            remote = Remote(url, home, folder / "log")
            remote.client = speaking
            yield remote
