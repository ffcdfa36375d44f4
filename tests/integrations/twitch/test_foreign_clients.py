"""Two clients that others wrote, TwitchIO and twitchAPI, work against the stand-in: what they understand is Twitch.

Each logs in by device code, subscribes over its own websocket, hears what happens and calls the API. They are pointed
here by addresses alone; not a line of theirs is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.twitch_standin.standin import Standin
from tests.support.waiting import until

twitchio = pytest.importorskip("twitchio")
pytest.importorskip("twitchAPI")

# Theirs, not ours: deprecations inside the two libraries and in aiohttp.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SCOPES = (
    "user:read:chat", "user:write:chat", "channel:read:redemptions", "channel:manage:redemptions", "bits:read",
    "channel:read:subscriptions", "moderator:read:followers", "moderator:read:shield_mode",
)  # fmt: skip


@pytest.fixture
async def twitch() -> AsyncIterator[Standin]:
    async with Standin() as standin:
        standin.grants.interval_s = 1
        yield standin


async def approve(twitch: Standin) -> None:
    await until(lambda: twitch.grants._devices and twitch.grants.newest.polled > 0)
    twitch.grants.approve(twitch.channel)


async def everything_happens(twitch: Standin) -> Any:
    """Have all that both clients subscribed to happen once; return the reward's redemption."""
    await twitch.say("hello there", "ann", worn="subscriber/12,vip/1", emotes=("there",))
    await twitch.delete("line-x", "ann")
    await twitch.ban("ann")
    await twitch.clear()
    await twitch.raid("Lighthouse", 40)
    await twitch.follow("bob")
    await twitch.subscribe("bob")
    await twitch.resubscribe("bob", 7, "seven")
    await twitch.gift("bob", 5)
    await twitch.say("Cheer100 yes", "ann", bits=100)
    await twitch.go_live()
    await twitch.go_live(False)
    await twitch.shield(True)
    await twitch.shield(False)
    return await twitch.redeem(twitch.rewards.titled("Picture"), "ann", "a castle")


async def test_twitchapi_logs_in_subscribes_hears_and_settles(twitch: Standin) -> None:
    from twitchAPI.eventsub.websocket import EventSubWebsocket
    from twitchAPI.oauth import CodeFlow
    from twitchAPI.twitch import Twitch
    from twitchAPI.type import AuthScope, CustomRewardRedemptionStatus

    # It always sends a secret when it refreshes; a public client's may be anything.
    client = Twitch(
        twitch.client_id, "unused", authenticate_app=False, base_url=f"{twitch.helix_url}/",
        auth_base_url=f"{twitch.id_url}/",
    )  # fmt: skip
    scopes = [AuthScope(scope) for scope in SCOPES]
    flow = CodeFlow(client, scopes, auth_base_url=f"{twitch.id_url}/")
    code, url = await flow.get_code()
    assert code in url
    approving = asyncio.create_task(approve(twitch))
    token, refresh = await flow.wait_for_auth_complete()
    await approving
    await client.set_user_authentication(token, scopes, refresh)
    us = twitch.channel.id

    reward = await client.create_custom_reward(us, "Picture", 500, prompt="what?", is_user_input_required=True)
    assert [user.login async for user in client.get_users()] == ["harbour"]
    socket = EventSubWebsocket(
        client, connection_url=twitch.eventsub_url, subscription_url=twitch.helix_url,
        callback_loop=asyncio.get_running_loop(),
    )  # fmt: skip
    heard: dict[str, Any] = {}

    def ear(name: str) -> Callable[[Any], Any]:
        async def hear(told: Any) -> None:
            heard.setdefault(name, []).append(told.event)

        return hear

    await asyncio.to_thread(socket.start)
    await until(lambda: socket.active_session is not None)
    # Its HTTP calls run where they are awaited; our own loop serves them.
    await socket.listen_channel_chat_message(us, us, ear("message"))
    await socket.listen_channel_chat_message_delete(us, us, ear("delete"))
    await socket.listen_channel_chat_clear_user_messages(us, us, ear("ban"))
    await socket.listen_channel_chat_clear(us, us, ear("clear"))
    await socket.listen_channel_chat_notification(us, us, ear("notification"))
    await socket.listen_channel_raid(ear("raid"), to_broadcaster_user_id=us)
    await socket.listen_channel_follow_v2(us, us, ear("follow"))
    await socket.listen_channel_subscribe(us, ear("subscribe"))
    await socket.listen_channel_subscription_message(us, ear("resub"))
    await socket.listen_channel_subscription_gift(us, ear("gift"))
    await socket.listen_channel_cheer(us, ear("cheer"))
    await socket.listen_stream_online(us, ear("online"))
    await socket.listen_stream_offline(us, ear("offline"))
    await socket.listen_channel_shield_mode_begin(us, us, ear("shield"))
    await socket.listen_channel_points_custom_reward_redemption_add(us, ear("redemption"))
    try:
        redeemed = await everything_happens(twitch)
        await until(lambda: len(heard) == 15)
        await until(lambda: len(heard["message"]) == 3)
        cheered = next(message for message in heard["message"] if message.cheer)
        assert (cheered.message.text, cheered.cheer.bits) == ("Cheer100 yes", 100)
        assert [fragment.type for fragment in cheered.message.fragments] == ["cheermote", "text"]
        assert heard["raid"][0].viewers == 40
        assert heard["redemption"][0].user_input == "a castle"
        open_ids = [redemption.id async for redemption in client.get_custom_reward_redemption(
            us, reward.id, status=CustomRewardRedemptionStatus.UNFULFILLED
        )]  # fmt: skip
        assert open_ids == [redeemed.id]
        done = await client.update_redemption_status(
            us, reward.id, redeemed.id, CustomRewardRedemptionStatus.CANCELED
        )  # fmt: skip
        assert done.status is CustomRewardRedemptionStatus.CANCELED
        sent = await client.send_chat_message(us, us, "drawn")
        assert sent.is_sent
        await twitch.eventsub.reset()
        heard.clear()
        await twitch.subscribed("channel.chat.message", "stream.online")
        await twitch.say("again")
        await until(lambda: "message" in heard)
    finally:
        # The library declares these attributes as None and gives them their values later.
        library: Any = socket
        await library.stop()
        # It leaves its own loop open, which would be our warning.
        await asyncio.to_thread(library._socket_thread.join)
        for task in asyncio.all_tasks(library._socket_loop):
            task.cancel()
        await asyncio.to_thread(library._socket_loop.run_until_complete, asyncio.sleep(0))
        library._socket_loop.close()
        closing: Any = client
        await closing.close()


async def test_twitchio_logs_in_subscribes_hears_and_moves(twitch: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    from twitchio import eventsub
    from twitchio.http import Route

    monkeypatch.setattr(Route, "BASE", f"{twitch.helix_url}/")
    monkeypatch.setattr(Route, "ID_BASE", twitch.id_url.removesuffix("oauth2"))
    monkeypatch.setattr("twitchio.eventsub.websockets.WSS", twitch.eventsub_url)
    twitch.rewards.add("Picture", 500, is_user_input_required=True)
    heard: dict[str, Any] = {}

    class Client(twitchio.Client):  # type: ignore[misc, name-defined]
        def dispatch(self, event: str, payload: Any = None) -> None:
            heard[event] = payload
            super().dispatch(event, payload)

    client = Client(client_id=twitch.client_id, scopes=twitchio.Scopes(list(SCOPES)))
    us = twitch.channel.id
    begun = await client.login_dcf(load_token=False, save_token=False)
    assert begun is not None
    approving = asyncio.create_task(approve(twitch))
    running = asyncio.create_task(client.start_dcf(device_code=begun["device_code"], interval=begun["interval"]))
    try:
        await approving
        await until(lambda: "ready" in heard or running.done())
        chat = {"broadcaster_user_id": us, "user_id": us}
        for wanted in (
            eventsub.ChatMessageSubscription(**chat),
            eventsub.ChatMessageDeleteSubscription(**chat),
            eventsub.ChatClearUserMessagesSubscription(**chat),
            eventsub.ChatClearSubscription(**chat),
            eventsub.ChatNotificationSubscription(**chat),
            eventsub.ChannelRaidSubscription(to_broadcaster_user_id=us),
            eventsub.ChannelFollowSubscription(broadcaster_user_id=us, moderator_user_id=us),
            eventsub.ChannelSubscribeSubscription(broadcaster_user_id=us),
            eventsub.ChannelSubscribeMessageSubscription(broadcaster_user_id=us),
            eventsub.ChannelSubscriptionGiftSubscription(broadcaster_user_id=us),
            eventsub.ChannelBitsUseSubscription(broadcaster_user_id=us),
            eventsub.StreamOnlineSubscription(broadcaster_user_id=us),
            eventsub.StreamOfflineSubscription(broadcaster_user_id=us),
            eventsub.ShieldModeBeginSubscription(broadcaster_user_id=us, moderator_user_id=us),
            eventsub.ChannelPointsRedeemAddSubscription(broadcaster_user_id=us),
        ):
            await client.subscribe_websocket(wanted, token_for=us)
        before = set(heard)
        await everything_happens(twitch)
        await until(lambda: len(set(heard) - before) >= 15)
        assert heard["raid"].viewer_count == 40
        assert heard["custom_redemption_add"].user_input == "a castle"
        await until(lambda: heard["message"].text == "a castle")
        await twitch.eventsub.reconnect()
        await until(lambda: twitch.eventsub.connections == 2 and len(twitch.eventsub.sessions) == 1)
        del heard["message"]
        await twitch.say("moved")
        await until(lambda: "message" in heard)
    finally:
        closing: Any = client
        await closing.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
