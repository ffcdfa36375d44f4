"""The stand-in does what it promises; test_foreign_clients.py shows that Twitch does the same."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.twitch_standin.standin import Standin

CHAT = "channel.chat.message"
ONLINE = "stream.online"


@pytest.fixture
async def helix(twitch: Standin) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Client-Id": twitch.client_id, "Authorization": f"Bearer {twitch.tokens()['access_token']}"}
    async with httpx.AsyncClient(base_url=twitch.helix_url, headers=headers) as client:
        yield client


async def receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        message: dict[str, Any] = json.loads(await socket.recv())
        return message


async def welcomed(socket: ClientConnection) -> str:
    message = await receive(socket)
    assert message["metadata"]["message_type"] == "session_welcome"
    return str(message["payload"]["session"]["id"])


async def subscribe(
    helix: httpx.AsyncClient, twitch: Standin, session: str, kind: str = ONLINE, version: str = "1"
) -> httpx.Response:
    condition = {"broadcaster_user_id": twitch.channel.id}
    if kind.startswith("channel.chat"):
        condition["user_id"] = twitch.channel.id
    transport = {"method": "websocket", "session_id": session}
    body = {"type": kind, "version": version, "condition": condition, "transport": transport}
    return await helix.post("/eventsub/subscriptions", json=body)


async def closed(socket: ClientConnection) -> int | None:
    async with asyncio.timeout(5):
        await socket.wait_closed()
    return socket.close_code


async def test_a_message_arrives_on_eventsub_and_on_irc_under_one_id(twitch: Standin, helix: httpx.AsyncClient) -> None:
    async with connect(twitch.eventsub_url) as events, connect(twitch.irc_url) as chat:
        answer = await subscribe(helix, twitch, await welcomed(events), CHAT)
        assert (answer.status_code, answer.json()["data"][0]["status"]) == (202, "enabled")
        message_id = await twitch.say("hello")
        assert (await receive(events))["payload"]["event"]["message_id"] == message_id
        assert f"id={message_id}" in str(await chat.recv())


@pytest.mark.parametrize(
    ("kind", "version", "status"), [("channel.follow", "1", 410), ("channel.nothing", "1", 400), (ONLINE, "1", 202)]
)
async def test_types_and_versions_are_checked(
    twitch: Standin, helix: httpx.AsyncClient, kind: str, version: str, status: int
) -> None:
    async with connect(twitch.eventsub_url) as events:
        assert (await subscribe(helix, twitch, await welcomed(events), kind, version)).status_code == status


async def test_a_duplicate_is_409_and_names_the_one_that_exists(twitch: Standin, helix: httpx.AsyncClient) -> None:
    async with connect(twitch.eventsub_url) as events:
        session = await welcomed(events)
        first = (await subscribe(helix, twitch, session)).json()["data"][0]["id"]
        again = await subscribe(helix, twitch, session)
        assert (again.status_code, again.json()["id"]) == (409, first)
        assert (await helix.delete("/eventsub/subscriptions", params={"id": first})).status_code == 204
        assert (await subscribe(helix, twitch, session)).status_code == 202


async def test_an_orphan_of_a_torn_session_is_in_the_way(twitch: Standin, helix: httpx.AsyncClient) -> None:
    twitch.eventsub.keeps_orphans = True
    async with connect(twitch.eventsub_url) as events:
        await subscribe(helix, twitch, await welcomed(events))
        await twitch.eventsub.reset()
    async with connect(twitch.eventsub_url) as events:
        assert (await subscribe(helix, twitch, await welcomed(events))).status_code == 409


async def test_an_unused_socket_is_closed_with_4003(twitch: Standin) -> None:
    twitch.eventsub.unused_s = 0.05
    async with connect(twitch.eventsub_url) as events:
        assert await closed(events) == 4003


async def test_a_client_that_talks_is_closed_with_4001(twitch: Standin) -> None:
    async with connect(twitch.eventsub_url) as events:
        await events.send("hello?")
        assert await closed(events) == 4001


async def test_a_reconnect_carries_subscriptions_over_and_the_old_socket_ends_with_4004(
    twitch: Standin, helix: httpx.AsyncClient
) -> None:
    twitch.eventsub.grace_s = 0.1
    async with connect(twitch.eventsub_url) as old:
        await subscribe(helix, twitch, await welcomed(old))
        await twitch.eventsub.reconnect()
        message = await receive(old)
        assert message["payload"]["session"]["status"] == "reconnecting"
        async with connect(message["payload"]["session"]["reconnect_url"]) as new:
            await welcomed(new)
            await twitch.go_live()
            assert (await receive(new))["metadata"]["subscription_type"] == ONLINE
            assert await closed(old) == 4004
        async with connect(message["payload"]["session"]["reconnect_url"]) as late:
            assert await closed(late) == 4007


async def test_a_fourth_socket_of_one_user_may_not_subscribe(twitch: Standin, helix: httpx.AsyncClient) -> None:
    sockets = [await connect(twitch.eventsub_url) for _ in range(4)]
    statuses = [(await subscribe(helix, twitch, await welcomed(socket))).status_code for socket in sockets]
    assert statuses == [202, 202, 202, 429]
    for socket in sockets:
        await socket.close()


async def test_delivery_may_be_twice_in_reverse_or_not_at_all(twitch: Standin, helix: httpx.AsyncClient) -> None:
    async with connect(twitch.eventsub_url) as events:
        await subscribe(helix, twitch, await welcomed(events), CHAT)
        twitch.eventsub.twice = True
        await twitch.say("one")
        assert (await receive(events))["metadata"]["message_id"] == (await receive(events))["metadata"]["message_id"]
        twitch.eventsub.twice, twitch.eventsub.shuffle = False, 2
        await twitch.say("two")
        await twitch.say("three")
        texts = [(await receive(events))["payload"]["event"]["message"]["text"] for _ in range(2)]
        assert texts == ["three", "two"]
        twitch.eventsub.silent, twitch.eventsub.shuffle, twitch.eventsub.pace_s = True, 0, 0.0
        await twitch.say("four")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await events.recv()


async def test_silence_apart_keepalives_come(twitch: Standin, helix: httpx.AsyncClient) -> None:
    twitch.eventsub.pace_s = 0.005
    async with connect(twitch.eventsub_url) as events:
        await subscribe(helix, twitch, await welcomed(events))
        assert (await receive(events))["metadata"]["message_type"] == "session_keepalive"


async def test_refresh_tokens_are_good_for_one_time(twitch: Standin) -> None:
    pair = twitch.tokens()
    form = {"client_id": twitch.client_id, "grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    async with httpx.AsyncClient() as client:
        first = await client.post(f"{twitch.id_url}/token", data=form)
        assert first.status_code == 200
        assert first.json()["refresh_token"] != pair["refresh_token"]
        again = await client.post(f"{twitch.id_url}/token", data=form)
        assert (again.status_code, again.json()["message"]) == (400, "Invalid refresh token")


async def test_a_device_code_is_pending_then_denied_approved_or_expired(twitch: Standin) -> None:
    async with httpx.AsyncClient(base_url=twitch.id_url) as client:

        async def begin() -> dict[str, str]:
            form = {"client_id": twitch.client_id, "scopes": "user:read:chat bits:read"}
            code = (await client.post("/device", data=form)).json()["device_code"]
            grant = "urn:ietf:params:oauth:grant-type:device_code"
            return {**form, "device_code": code, "grant_type": grant}

        async def poll(form: dict[str, str]) -> tuple[int, str]:
            answer = await client.post("/token", data=form)
            return answer.status_code, answer.json().get("message", "")

        form = await begin()
        assert await poll(form) == (400, "authorization_pending")
        twitch.grants.approve(twitch.channel)
        assert await poll(form) == (200, "")
        assert await poll(form) == (400, "invalid device code")
        form = await begin()
        twitch.grants.deny()
        assert await poll(form) == (400, "access_denied")
        form = await begin()
        twitch.grants.skip(1801)
        assert await poll(form) == (400, "invalid device code")


async def test_helix_wants_a_living_token_and_its_scopes(twitch: Standin, helix: httpx.AsyncClient) -> None:
    assert (await helix.get("/users")).json()["data"][0]["login"] == "harbour"
    asked = {"broadcaster_id": twitch.channel.id, "moderator_id": twitch.channel.id}
    assert (await helix.get("/moderation/blocked_terms", params=asked)).status_code == 200
    poor = {"Authorization": f"Bearer {twitch.tokens('user:read:chat')['access_token']}"}
    answer = await helix.get("/moderation/blocked_terms", params=asked, headers=poor)
    assert (answer.status_code, "Missing scope" in answer.json()["message"]) == (401, True)
    twitch.grants.expire_access()
    assert (await helix.get("/users")).status_code == 401


async def test_faults_come_as_often_as_injected(twitch: Standin, helix: httpx.AsyncClient) -> None:
    twitch.faults.inject("GET", "/users", 500, times=2)
    assert [(await helix.get("/users")).status_code for _ in range(3)] == [500, 500, 200]


async def test_a_reward_is_made_redeemed_and_settled_once(twitch: Standin, helix: httpx.AsyncClient) -> None:
    mine = {"broadcaster_id": twitch.channel.id}
    body = {"title": "Picture", "cost": 500, "is_user_input_required": True}
    path = "/channel_points/custom_rewards"
    made = (await helix.post(path, params=mine, json=body)).json()["data"][0]
    assert (await helix.post(path, params=mine, json=body)).status_code == 400
    assert (await helix.post(path, params=mine, json={"title": "x", "cost": "1"})).status_code == 400
    redemption = await twitch.redeem(twitch.rewards.titled("Picture"), "ann", "a castle")
    asked = {**mine, "reward_id": made["id"], "status": "UNFULFILLED"}
    listed = (await helix.get(f"{path}/redemptions", params=asked)).json()["data"]
    assert [(row["id"], row["user_input"]) for row in listed] == [(redemption.id, "a castle")]
    settle = {**mine, "reward_id": made["id"], "id": redemption.id}
    for status in (200, 404):
        answer = await helix.patch(f"{path}/redemptions", params=settle, json={"status": "CANCELED"})
        assert answer.status_code == status
    assert (redemption.status, redemption.settled) == ("CANCELED", 1)
    other = twitch.rewards.add("Hydrate")
    assert (await helix.patch(path, params={**mine, "id": other.id}, json={"cost": 5})).status_code == 403


async def test_chat_is_sent_or_dropped_with_a_reason(twitch: Standin, helix: httpx.AsyncClient) -> None:
    body = {"broadcaster_id": twitch.channel.id, "sender_id": twitch.channel.id, "message": "hello"}
    assert (await helix.post("/chat/messages", json=body)).json()["data"][0]["is_sent"] is True
    twitch.speech.drop.append(("msg_rejected_mandatory", "AutoMod"))
    dropped = (await helix.post("/chat/messages", json=body)).json()["data"][0]
    assert (dropped["is_sent"], dropped["drop_reason"]["code"]) == (False, "msg_rejected_mandatory")
    assert [message.text for message in twitch.speech.sent] == ["hello"]
