"""The client over real sockets: it reconnects, never swaps answers, and never logs the password."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from streamer.errors import ObsAway, ObsError, ObsRefused
from streamer.integrations.obs.client import ObsClient
from streamer.integrations.obs.client_thread import ObsConnectionState, ReconnectPace
from streamer.integrations.obs.connection import ObsEvent
from streamer.integrations.obs.connection_events import (
    ConnectionEvent,
    ConnectionEventQueue,
    ObsConnected,
    ObsDisconnected,
)
from tests.support.fake_obs import FakeObs, Refuse, fake_obs
from tests.support.lossy_network import lossy_network
from tests.support.waiting import until

PASSWORD = "correct-horse-battery"
QUICK = ReconnectPace(timeout_s=0.1, heartbeat_s=0.2, retry_s=(0.01,), password_check_s=0.02)


@asynccontextmanager
async def running_client(
    fake: FakeObs, password: Callable[[], str] = lambda: PASSWORD, pace: ReconnectPace = QUICK
) -> AsyncIterator[tuple[ObsClient, ConnectionEventQueue]]:
    client = ObsClient("127.0.0.1", fake.port, password, pace)
    async with client.running() as events:
        yield client, events


async def next_event(reader: ConnectionEventQueue) -> ConnectionEvent:
    async with asyncio.timeout(10):
        return await reader.next()


async def test_it_connects_with_the_password_and_receives_events() -> None:
    async with fake_obs(PASSWORD) as fake, running_client(fake) as (_, events):
        assert isinstance(await next_event(events), ObsConnected)
        await until(lambda: len(fake.sessions) == 2)
        await fake.emit("CurrentProgramSceneChanged", {"sceneName": "Live"}, 4)
        assert await next_event(events) == ObsEvent("CurrentProgramSceneChanged", {"sceneName": "Live"})


async def test_a_refusal_by_obs_keeps_the_connection() -> None:
    def refuse(data: object) -> None:
        raise Refuse(600, "No source was found by the name of `x`.")

    async with fake_obs(PASSWORD) as fake:
        fake.handlers["GetSceneItemId"] = refuse
        async with running_client(fake) as (client, _):
            await until(lambda: client.state is ObsConnectionState.READY)
            with pytest.raises(ObsRefused) as caught:
                await client.call("GetSceneItemId", {"sourceName": "x"})
            assert caught.value.code == 600
            assert (await client.call("GetVersion"))["obsVersion"] == "31.0.2"
            assert fake.identified == 2


async def test_an_answer_that_comes_too_late_is_never_given_to_the_next_request() -> None:
    async with fake_obs(PASSWORD) as fake:
        fake.handlers["Echo"] = lambda data: data
        async with running_client(fake) as (client, _):
            await until(lambda: client.state is ObsConnectionState.READY)
            fake.fault = lambda request: "late" if request == "Echo" else ""
            with pytest.raises(ObsAway):
                await client.call("Echo", {"n": 1})
            fake.fault = lambda request: ""
            await until(lambda: client.state is ObsConnectionState.READY)
            assert await client.call("Echo", {"n": 2}) == {"n": 2}


async def test_without_obs_a_call_fails_at_once_and_says_why() -> None:
    async with fake_obs() as fake:
        pass
    async with running_client(fake) as (client, _):
        await until(lambda: client.state is ObsConnectionState.AWAY)
        with pytest.raises(ObsAway, match="nothing answers"):
            await client.call("GetVersion")


async def test_obs_closing_is_an_event_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with fake_obs(PASSWORD) as fake, running_client(fake) as (_, events):
        assert isinstance(await next_event(events), ObsConnected)
        await fake.close_all()
        assert isinstance(await next_event(events), ObsDisconnected)
        assert isinstance(await next_event(events), ObsConnected)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_obs_that_comes_back_on_its_port_is_found_again() -> None:
    async with fake_obs(PASSWORD) as fake, running_client(fake) as (client, _):
        await until(lambda: client.state is ObsConnectionState.READY)
        await fake.stop()
        await until(lambda: client.state is ObsConnectionState.AWAY)
        await fake.start()
        await until(lambda: client.state is ObsConnectionState.READY)


async def test_a_wrong_password_stops_the_retries_until_it_is_changed(caplog: pytest.LogCaptureFixture) -> None:
    password = "not-it-at-all"
    async with fake_obs(PASSWORD) as fake, running_client(fake, lambda: password) as (client, _):
        await until(lambda: client.state is ObsConnectionState.WRONG_PASSWORD)
        tried = fake.refused
        await asyncio.sleep(0.3)
        assert fake.refused == tried == 2
        assert "streamer obs password" in client.reason
        password = PASSWORD
        await until(lambda: client.state is ObsConnectionState.READY)
    assert "not-it-at-all" not in caplog.text


async def test_no_password_where_one_is_needed_says_so() -> None:
    async with fake_obs(PASSWORD) as fake, running_client(fake, lambda: "") as (client, _):
        await until(lambda: client.state is ObsConnectionState.WRONG_PASSWORD)
        assert "asks for a password" in client.reason


async def test_a_kicked_client_does_not_reconnect_by_itself() -> None:
    async with fake_obs(PASSWORD) as fake, running_client(fake) as (client, _):
        await until(lambda: client.state is ObsConnectionState.READY)
        await fake.close_all(4011)
        await until(lambda: client.state is ObsConnectionState.KICKED)
        await asyncio.sleep(0.1)
        assert fake.identified == 2


async def test_a_silent_peer_is_given_up() -> None:
    async with fake_obs(PASSWORD) as fake, running_client(fake) as (client, _):
        await until(lambda: client.state is ObsConnectionState.READY)
        fake.fault = lambda request: "silence"
        await until(lambda: client.state is ObsConnectionState.AWAY, 3)


async def test_a_network_that_drops_everything_is_noticed_and_obs_is_found_again() -> None:
    async with fake_obs(PASSWORD) as fake, lossy_network(fake.port) as network:
        client = ObsClient("127.0.0.1", network.port, lambda: PASSWORD, QUICK)
        async with client.running() as events:
            assert isinstance(await next_event(events), ObsConnected)
            network.cut()
            assert isinstance(await next_event(events), ObsDisconnected)
            assert isinstance(await next_event(events), ObsConnected)


def test_an_obs_that_died_silently_is_noticed_within_a_minute() -> None:
    pace = ReconnectPace()
    assert 3 * pace.heartbeat_s + 2 * pace.timeout_s < 45


async def test_obs_that_is_not_ready_yet_is_asked_again() -> None:
    answers = iter([Refuse(207), Refuse(207)])

    def version(data: object) -> dict[str, str]:
        if (refusal := next(answers, None)) is not None:
            raise refusal
        return {"obsVersion": "32.0.0"}

    async with fake_obs(PASSWORD) as fake:
        fake.handlers["GetVersion"] = version
        async with running_client(fake) as (client, _):
            await until(lambda: client.state is ObsConnectionState.READY)


async def test_a_silent_port_does_not_hold_the_thread() -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    client = ObsClient("127.0.0.1", server.sockets[0].getsockname()[1], lambda: PASSWORD, QUICK)
    async with client.running():
        await until(lambda: client.state is ObsConnectionState.AWAY)
    assert not client.alive
    server.close()


async def test_a_thousand_faults_swap_no_answer_kill_no_thread_and_tell_no_password(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    chance = random.Random(7)
    done: Counter[str] = Counter()
    pace = ReconnectPace(timeout_s=0.02, heartbeat_s=0.5, retry_s=(0.0,), password_check_s=0.02)

    def fault(request: str) -> str:
        if request != "Echo" or chance.random() < 0.5:
            return ""
        kind = chance.choice(["drop", "drop", "drop after", "drop after", "malformed", "malformed", "late", "silence"])
        done[kind] += 1
        return kind

    async with fake_obs(PASSWORD) as fake:
        fake.handlers["Echo"] = lambda data: data
        fake.fault, fake.late_s = fault, 0.03
        async with running_client(fake, pace=pace) as (client, _):
            number = answered = 0
            deadline = time.monotonic() + 60
            while done.total() < 1000 and time.monotonic() < deadline:
                number += 1
                try:
                    assert await client.call("Echo", {"n": number}) == {"n": number}
                    answered += 1
                except ObsError:
                    await until(lambda: client.state is ObsConnectionState.READY)
            assert done.total() == 1000
            assert answered > 300
            assert client.alive
            assert repr(client) == f"ObsClient(127.0.0.1:{fake.port}, ready)"
    logged = caplog.text + "".join(capfd.readouterr())
    assert PASSWORD not in logged
    assert "Traceback" not in logged
