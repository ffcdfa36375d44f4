"""OpenAI's own client draws on the running program: pictures, streams, errors, and nothing of it on the overlay."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from typing import Any

import httpx
import openai
import pytest
from PIL import Image
from websockets.asyncio.client import connect

from streamer.api.uploads import MOST_BYTES
from streamer.overlay.wire import PROTOCOL
from streamer.storage.store import Store, StoreOptions
from tests.support.real_program import OPERATOR, Remote
from tests.support.tenants import Key, Tenant

SIZE: Any = "256x256"
ROUTES = [
    ("GET", "/v1/models"), ("GET", "/v1/models/procedural"), ("POST", "/v1/images/generations"),
    ("POST", "/v1/images/edits"), ("GET", "/v1/usage"), ("GET", "/v1/images/files/x"), ("GET", "/v1/nothing"),
    ("DELETE", "/v1/models"), ("POST", "/v1/chat/completions"),
]  # fmt: skip


def decoded(text: str | None) -> Image.Image:
    assert text
    return Image.open(io.BytesIO(base64.b64decode(text)))


def png(width: int = 64, height: int = 48) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (90, 40, 160)).save(file, "PNG")
    return file.getvalue()


async def test_a_picture_comes_back_and_nothing_of_it_goes_on_air_or_into_the_history(
    program: Remote, shop: Key
) -> None:
    before = await program.status()
    answer = await shop.client.images.generate(prompt="stormy harbour", size=SIZE)
    assert answer.data
    image = decoded(answer.data[0].b64_json)
    assert (image.size, image.format, answer.size, answer.output_format) == ((256, 256), "JPEG", "256x256", "jpeg")
    assert b"algorithmicMedia" in base64.b64decode(answer.data[0].b64_json or "")
    extra = answer.model_extra or {}
    assert extra["gpu_seconds"] > 0
    assert extra["cost"] == pytest.approx(extra["gpu_seconds"] * 0.5, abs=1e-4)
    after = await program.status()
    assert (after["on_air"], after["pending"], after["held"]) == (before["on_air"], [], [])
    history = (await program.client.get("/api/v1/requests")).json()
    assert not [row for row in history if row["id"].startswith("api-")]


async def test_several_pictures_by_address_which_needs_no_key(shop: Key) -> None:
    answer = await shop.client.images.generate(
        prompt="stormy harbour", size=SIZE, n=2, response_format="url", output_format="webp"
    )
    assert answer.data
    addresses = [one.url or "" for one in answer.data]
    assert len(set(addresses)) == 2
    async with httpx.AsyncClient() as anybody:
        for address in addresses:
            found = await anybody.get(address)
            assert found.headers["content-type"] == "image/webp"
            assert Image.open(io.BytesIO(found.content)).format == "WEBP"


async def test_the_same_seed_draws_the_same_picture(shop: Key) -> None:
    pictures = [
        await shop.client.images.generate(prompt="a fox", size=SIZE, extra_body={"seed": seed}) for seed in (7, 7, 8)
    ]
    data = [picture.data[0].b64_json for picture in pictures if picture.data]
    assert data[0] == data[1] != data[2]


async def test_a_stream_ends_with_the_picture_after_partial_images(shop: Key) -> None:
    large: Any = "640x352"
    stream = await shop.client.images.generate(prompt="stormy harbour", size=large, stream=True, partial_images=2)
    *partial, last = [event async for event in stream]
    # This painter may finish several steps before anybody looks.
    assert len(partial) <= 2
    for index, event in enumerate(partial):
        assert event.type == "image_generation.partial_image"
        assert event.partial_image_index == index
        assert max(decoded(event.b64_json).size) <= 256
    assert last.type == "image_generation.completed"
    assert decoded(last.b64_json).size == (640, 352)
    assert last.usage.total_tokens == 0


async def test_the_model_that_draws_is_listed_and_no_other_can_be_asked_for(shop: Key) -> None:
    listed = await shop.client.models.list()
    assert [model.id for model in listed.data] == ["procedural"]
    assert (await shop.client.models.retrieve("procedural")).owned_by == "streamer"
    await shop.client.images.generate(prompt="a fox", size=SIZE, model="procedural")
    with pytest.raises(openai.NotFoundError) as caught:
        await shop.client.images.generate(prompt="a fox", model="dall-e-3")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


async def test_the_gate_refuses_words_unless_the_tenant_has_none(shop: Key, tenant: Tenant) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as caught:
            await shop.client.images.generate(prompt="forbiddenword", size=SIZE, stream=stream)
        assert (caught.value.code, caught.value.type) == ("moderation_blocked", "image_generation_user_error")
    assert (await tenant("ungated").client.images.generate(prompt="forbiddenword", size=SIZE)).data


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "prompt", "missing_required_parameter"),
        ({"prompt": ""}, "prompt", "invalid_value"),
        ({"prompt": "\u200b"}, "prompt", "invalid_value"),
        ({"prompt": "x" * 1001}, "prompt", "invalid_value"),
        ({"prompt": "fox", "n": 5}, "n", "invalid_value"),
        ({"prompt": "fox", "size": "1x1"}, "size", "invalid_value"),
        ({"prompt": "fox", "colour": "red"}, "colour", "unknown_parameter"),
        ({"prompt": "fox", "background": "transparent"}, "background", "invalid_value"),
        ({"prompt": "fox", "stream": True, "n": 2}, "stream", None),
        ({"prompt": "fox", "output_format": "gif"}, "output_format", "invalid_value"),
        ([1], None, None),
    ],
)
async def test_a_wrong_parameter_is_named_in_openais_shape(
    program: Remote, shop: Key, body: object, param: str | None, code: str | None
) -> None:
    answer = await program.client.post("/v1/images/generations", json=body, headers=shop.headers)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert error["message"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 60_000])
async def test_a_body_that_is_no_json_is_an_error_in_openais_shape(program: Remote, shop: Key, content: bytes) -> None:
    answer = await program.client.post("/v1/images/generations", content=content, headers=shop.headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("token", ["", "sk-nobody", OPERATOR])
async def test_nothing_below_v1_opens_without_a_tenants_key(program: Remote, token: str) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as stranger:
        for method, path in ROUTES:
            answer = await stranger.request(method, path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key"), path


async def test_a_key_opens_nothing_but_v1(program: Remote, shop: Key) -> None:
    paths = (await program.client.get("/api/openapi.json")).json()["paths"]
    closed = [
        (method, path.replace("{name}", "harbour"))
        for path, methods in paths.items()
        for method in methods
        if not path.startswith(("/v1/", "/healthz", "/readyz", "/metrics"))
    ]
    assert len(closed) > 35
    async with httpx.AsyncClient(base_url=program.url, headers=shop.headers) as tenant:
        for method, path in closed:
            assert (await tenant.request(method.upper(), path, json={})).status_code in (401, 403), path
        assert (await tenant.get("/v1/nothing")).json()["error"]["code"] == "unknown_url"
        assert (await tenant.get("/v1/models/other")).json()["error"]["code"] == "model_not_found"
        assert (await tenant.get("/v1/images/files/guess")).status_code == 404


@pytest.mark.parametrize("path", ["/ws/overlay", "/ws/panel", "/ws/drafts"])
async def test_a_key_opens_no_socket(program: Remote, shop: Key, path: str) -> None:
    async with connect(program.url.replace("http", "ws") + path) as page:
        await page.send(json.dumps({"type": "hello", "v": PROTOCOL, "token": shop.key}))
        async with asyncio.timeout(10):
            await page.wait_closed()
        assert page.close_code == 4401


async def test_a_key_that_is_revoked_opens_nothing(program: Remote, tenant: Tenant) -> None:
    revoked = tenant("revoked")
    await revoked.client.models.list()
    async with Store.at(program.home, StoreOptions()).opened() as store:
        assert await store.tenants.revoke("revoked") == 1
    async with asyncio.timeout(30):
        while (await program.client.get("/v1/models", headers=revoked.headers)).is_success:
            await asyncio.sleep(0.05)


async def test_a_request_that_is_sent_again_gets_the_same_picture_and_costs_nothing(tenant: Tenant) -> None:
    shop = tenant("counted")
    headers = {"Idempotency-Key": "order 1"}

    async def ask(prompt: str = "a fox") -> httpx.Response:
        raw = await shop.client.images.with_raw_response.generate(prompt=prompt, size=SIZE, extra_headers=headers)
        return raw.http_response  # type: ignore[return-value]

    both = await asyncio.gather(ask(), ask())
    again = await ask()
    assert len({answer.json()["data"][0]["b64_json"] for answer in (*both, again)}) == 1
    assert sorted("idempotent-replayed" in answer.headers for answer in both) == [False, True]
    assert again.headers["idempotent-replayed"] == "true"
    with pytest.raises(openai.UnprocessableEntityError, match="was used for another request"):
        await ask("a badger")
    report: Any = await shop.client.get("/usage", cast_to=object)
    assert report["got_this_month"] == 1


async def test_a_tenant_is_told_when_it_may_ask_again(tenant: Tenant) -> None:
    slow = tenant("slow")
    raw = await slow.client.images.with_raw_response.generate(prompt="a fox", size=SIZE)
    assert raw.headers["x-ratelimit-limit-requests"] == "1"
    assert raw.headers["x-ratelimit-remaining-requests"] == "0"
    with pytest.raises(openai.RateLimitError) as caught:
        await slow.client.images.generate(prompt="a fox", size=SIZE)
    assert caught.value.code == "rate_limit_exceeded"
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 60


async def test_a_month_has_an_end(tenant: Tenant) -> None:
    small = tenant("small")
    await small.client.images.generate(prompt="a fox", size=SIZE)
    with pytest.raises(openai.RateLimitError) as caught:
        await small.client.images.generate(prompt="a fox", size=SIZE)
    assert caught.value.code == "insufficient_quota"


async def test_usage_is_reported_by_day(program: Remote, tenant: Tenant) -> None:
    shop = tenant("reported")
    await shop.client.images.generate(prompt="a fox", size=SIZE, n=2)
    with pytest.raises(openai.BadRequestError):
        await shop.client.images.generate(prompt="forbiddenword", size=SIZE)
    report: Any = await shop.client.get("/usage", cast_to=object)
    assert (report["tenant"], report["per_minute"], report["left_this_minute"]) == (shop.tenant, 1000, 997)
    (day,) = report["days"]
    assert (day["pictures"], day["refused"], day["failed"]) == (2, 1, 0)
    assert day["cost"] == pytest.approx(day["gpu_seconds"] * 0.5, abs=1e-4)
    wrong = await program.client.get("/v1/usage?since=yesterday", headers=shop.headers)
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (400, "invalid_request_error")


async def test_an_edit_takes_one_picture_within_limits(program: Remote, shop: Key) -> None:
    edit = shop.client.images.edit
    with pytest.raises(openai.BadRequestError, match="pictures cannot be changed on this computer"):
        await edit(image=png(), prompt="make it winter", size=SIZE)
    with pytest.raises(openai.BadRequestError, match="is no picture that can be read; send a PNG"):
        await edit(image=b"no picture", prompt="make it winter")
    with pytest.raises(openai.BadRequestError, match="masks are not supported"):
        await edit(image=png(), mask=png(), prompt="make it winter")
    with pytest.raises(openai.BadRequestError, match="send one picture"):
        await edit(image=[png(), png()], prompt="make it winter")
    plain = await program.client.post("/v1/images/edits", json={"prompt": "x"}, headers=shop.headers)
    assert (plain.status_code, plain.json()["error"]["type"]) == (400, "invalid_request_error")


async def test_a_body_that_is_too_long_is_refused_in_openais_shape(program: Remote, shop: Key) -> None:
    long = await program.client.post("/v1/images/generations", json={"prompt": "x" * 70_000}, headers=shop.headers)
    assert (long.status_code, long.json()["error"]["type"]) == (413, "invalid_request_error")
    file = {"image": ("a.png", bytes(MOST_BYTES + 1), "image/png")}
    large = await program.client.post("/v1/images/edits", data={"prompt": "x"}, files=file, headers=shop.headers)
    assert (large.status_code, large.json()["error"]["param"]) == (400, "image")
    file = {"image": ("a.png", bytes(MOST_BYTES + 100_000), "image/png")}
    larger = await program.client.post("/v1/images/edits", data={"prompt": "x"}, files=file, headers=shop.headers)
    assert (larger.status_code, larger.json()["error"]["type"]) == (413, "invalid_request_error")
