"""The playground's client and the real program: orders, previews, pictures, and what happens when one goes away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from streamer.errors import ApiError
from streamer.playground.client import ProgramClient
from tests.support.real_program import OPERATOR, Remote, free_port, standing_token


@pytest.fixture
async def asking(program: Remote) -> AsyncIterator[ProgramClient]:
    client = ProgramClient(program.url, OPERATOR)
    yield client
    await client.aclose()


def order(text: str = "stormy harbour", **more: object) -> dict[str, Any]:
    return {"text": text, "width": 256, "height": 144, "num_inference_steps": 4, **more}


async def test_previews_come_before_the_picture_which_is_the_programs_own(
    asking: ProgramClient, program: Remote
) -> None:
    changes = [drafts[0] async for drafts in asking.draw([order(seed=5)])]
    last = changes[-1]
    assert (last.state, last.seed, last.width, last.drawn) == ("drawn", 5, 256, True)
    assert {"wait", "draw", "model", "judge"} == set(last.times_ms)
    previews = [draft.picture for draft in changes if draft.picture and not draft.ended]
    assert previews
    image = await program.client.get(f"/api/v1/drafts/{last.id}/image")
    assert image.content == last.picture
    assert (await program.status())["on_air"]["background"] is None


async def test_a_grid_ends_when_its_last_picture_is_there(asking: ProgramClient) -> None:
    async for drafts in asking.draw([order(seed=seed) for seed in range(4)]):
        last = drafts
    assert [(draft.state, draft.seed) for draft in last] == [("drawn", seed) for seed in range(4)]
    assert len({draft.picture for draft in last}) == 4


async def test_orders_that_are_refused_say_why_and_the_others_are_drawn(asking: ProgramClient) -> None:
    orders = [order("a forbiddenword"), order(width=250), order()]
    async for drafts in asking.draw(orders):
        last = drafts
    assert [draft.state for draft in last] == ["refused", "refused", "drawn"]
    assert last[0].reason
    assert "multiple of 16" in last[1].reason


async def test_whoever_stops_listening_takes_back_what_waits(asking: ProgramClient, program: Remote) -> None:
    async with aclosing(asking.draw([order(seed=seed) for seed in range(9)])) as changes:  # type: ignore[type-var]
        async for drafts in changes:
            if all(draft.id for draft in drafts):
                break
    for draft in drafts:
        if not draft.ended:
            assert (await program.client.get(f"/api/v1/drafts/{draft.id}")).status_code == 404


async def test_a_picture_goes_on_air_when_that_is_asked_for(asking: ProgramClient, program: Remote) -> None:
    async for drafts in asking.draw([order(command="meme", text="a fox | hello")]):
        last = drafts[0]
    airing = await asking.put_on_air(last.id)
    assert (airing.state, airing.reason) == ("shown", "")
    assert (await program.status())["on_air"]["meme"] == last.id
    with pytest.raises(ApiError, match="there is no draft 'gone'"):
        await asking.put_on_air("gone")


async def test_the_choices_and_the_generator_are_the_programs(asking: ProgramClient) -> None:
    choices = await asking.choices()
    assert choices.commands["bg"].layer == "background"
    assert "noir" in choices.styles
    assert (choices.edits, choices.most_steps, choices.steps) == (False, None, 4)
    assert await asking.generator() == "procedural, cpu: ready"


async def test_a_token_of_another_role_is_named_as_the_fault(program: Remote) -> None:
    client = ProgramClient(program.url, standing_token(program, "trigger"))
    with pytest.raises(ApiError, match="use a token with the role 'operator'"):
        await client.choices()
    with pytest.raises(ApiError, match="operator's token"):
        async for _ in client.draw([order()]):
            pass
    await client.aclose()


async def test_a_program_that_is_gone_is_named_with_the_way_to_start_it() -> None:
    client = ProgramClient(f"http://127.0.0.1:{free_port()}", OPERATOR)
    with pytest.raises(ApiError, match="start it with 'streamer run'"):
        await client.choices()
    with pytest.raises(ApiError, match="start it with 'streamer run'"):
        async for _ in client.draw([order()]):
            pass
    await client.aclose()
