"""The command line asks the running program, and notices when there is none or another one."""

from __future__ import annotations

import pytest

from streamer.api import client
from streamer.errors import ApiError, SeveralPeople
from tests.support.real_program import OPERATOR, Remote, free_port
from tests.support.recording_proxy import RecordingProxy


async def test_a_program_that_does_not_answer_is_named_and_nothing_is_done() -> None:
    with pytest.raises(
        ApiError, match=r"does not answer \(.*wait until it answers, or stop it, and repeat the command"
    ):
        await client.forget(f"http://127.0.0.1:{free_port()}", "token", "1")
    with pytest.raises(ApiError, match="at an unknown address does not answer"):
        await client.forget("", "token", "1")


async def test_something_else_that_answers_is_not_taken_for_the_program() -> None:
    with RecordingProxy() as other, pytest.raises(ApiError, match="is not streamer; stop it, give streamer another"):
        await client.forget(other.url, "token", "1")


async def test_the_running_program_forgets(served: Remote) -> None:
    answer = await client.forget(served.url, OPERATOR, "nobody")
    assert (answer.requests, answer.text) == (0, "nobody called nobody is known here; whoever has this id is forgotten")


async def test_a_name_of_several_people_forgets_nobody(program: Remote) -> None:
    for number in (1, 2):
        actor = {"id": f"twin-{number}", "name": "Близнец", "login": f"twin_{number}", "role": "viewer"}
        await program.client.post("/api/v1/triggers", json={"text": "hello", "actor": actor})
    with pytest.raises(SeveralPeople, match=r"Близнец \(twin_1\), Близнец \(twin_2\); say which one"):
        await client.forget(program.url, OPERATOR, "близнец")


async def test_another_program_at_the_address_is_named(served: Remote) -> None:
    with pytest.raises(ApiError, match="answers 401; stop it, or set STREAMER_OPERATOR_TOKEN"):
        await client.forget(served.url, "not the token of that program", "1")


async def test_the_own_program_is_never_asked_through_a_proxy(program: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    answer = await client.forget(program.url, OPERATOR, "somebody-unheard-of")
    assert answer.requests == 0
    await client.check_token(program.url, OPERATOR)
