"""One connection: two sessions that fail together and leave no socket behind."""

from __future__ import annotations

import asyncio

import pytest

from streamer.errors import ObsAway, ObsRefused
from streamer.integrations.obs.connection import Connection, Kicked, ObsEvent, WrongPassword
from tests.support.fake_obs import FakeObs, Refuse, fake_obs
from tests.support.recording_proxy import RecordingProxy


async def connected(fake: FakeObs, password: str = "pw") -> Connection:
    return await asyncio.to_thread(Connection, "127.0.0.1", fake.port, password, 1.0)


async def test_requests_are_answered_and_events_are_read() -> None:
    async with fake_obs("pw") as fake:
        connection = await connected(fake)
        assert (await asyncio.to_thread(connection.request, "GetVersion"))["obsVersion"] == "31.0.2"
        await fake.emit("ExitStarted")
        assert await asyncio.to_thread(connection.read, 1) == ObsEvent("ExitStarted", {})
        await asyncio.to_thread(lambda: connection.close(handshake=True))


async def test_obs_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with RecordingProxy() as proxy:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "other.test")
        async with fake_obs("pw") as fake:
            connection = await connected(fake)
            await asyncio.to_thread(lambda: connection.close(handshake=True))
        assert proxy.asked == []


async def test_a_request_without_an_answer_body_gives_an_empty_one() -> None:
    async with fake_obs("pw") as fake:
        fake.handlers["SetCurrentProgramScene"] = lambda data: None
        connection = await connected(fake)
        assert await asyncio.to_thread(connection.request, "SetCurrentProgramScene", {"sceneName": "Live"}) == {}
        await asyncio.to_thread(lambda: connection.close(handshake=True))


async def test_a_refusal_has_the_code_of_obs() -> None:
    def refuse(data: object) -> None:
        raise Refuse(605, "the kind is unknown")

    async with fake_obs("pw") as fake:
        fake.handlers["CreateInput"] = refuse
        connection = await connected(fake)
        with pytest.raises(ObsRefused, match="605"):
            await asyncio.to_thread(connection.request, "CreateInput", {"inputKind": "x"})
        await asyncio.to_thread(lambda: connection.close(handshake=True))


async def test_a_wrong_password_and_a_closed_port_are_told_apart() -> None:
    async with fake_obs("pw") as fake:
        with pytest.raises(WrongPassword):
            await connected(fake, "other")
    with pytest.raises(ObsAway):
        await connected(fake)


async def test_a_kicked_session_and_a_closed_one_are_told_apart() -> None:
    for code, wanted in ((4011, Kicked), (1001, ObsAway)):
        async with fake_obs("pw") as fake:
            connection = await connected(fake)
            await fake.close_all(code)
            with pytest.raises(wanted):
                await asyncio.to_thread(connection.read, 1)
            connection.close(handshake=False)
