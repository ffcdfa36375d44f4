"""A request that is sent again gets the first one's answer, also while that is being drawn."""

from __future__ import annotations

import asyncio

import pytest

from streamer.api.v1 import idempotency
from streamer.api.v1.faults import Fault
from streamer.api.v1.idempotency import KEPT_S, Replays

Answers = Replays[str]


async def begun(replays: Answers, key: str = "k", print_: str = "p", now: float = 0.0) -> str | None:
    return await replays.begin("shop", key, print_, now)


async def test_an_answer_is_given_again_for_an_hour() -> None:
    replays = Answers()
    assert await begun(replays) is None
    replays.end("shop", "k", "picture", 7)
    replays.abandon("shop", "k")
    assert await begun(replays, now=KEPT_S) == "picture"
    assert await replays.begin("zoo", "k", "p", 0.0) is None, "another tenant's key is another key"
    assert await begun(replays, now=KEPT_S + 1) is None


async def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    replays = Answers()
    await begun(replays)
    waiting = [asyncio.create_task(begun(replays)) for _ in range(3)]
    await asyncio.sleep(0)
    replays.end("shop", "k", "picture", 7)
    assert await asyncio.gather(*waiting) == ["picture"] * 3


async def test_when_the_first_gets_no_picture_one_of_those_that_wait_draws() -> None:
    replays = Answers()
    await begun(replays)
    waiting = [asyncio.create_task(begun(replays)) for _ in range(2)]
    await asyncio.sleep(0)
    replays.abandon("shop", "k")
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == [None]
    replays.end("shop", "k", "picture", 7)
    assert [await task for task in others] == ["picture"]


async def test_a_key_belongs_to_one_request() -> None:
    replays = Answers()
    await begun(replays)
    with pytest.raises(Fault) as caught:
        await begun(replays, print_="other")
    assert (caught.value.status_code, caught.value.code) == (422, "idempotency_key_reused")


async def test_the_oldest_answers_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "MOST_BYTES", 10)
    monkeypatch.setattr(idempotency, "MOST_ANSWERS", 3)
    replays = Answers()
    for key in ("a", "b"):
        await begun(replays, key)
        replays.end("shop", key, key, 8)
    assert await begun(replays, "b") == "b"
    assert await begun(replays, "a") is None
    for key in ("c", "d"):
        assert await begun(replays, key) is None
    assert await begun(replays, "b") is None
