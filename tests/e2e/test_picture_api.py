"""Programs draw on programs: one draws on another's picture API, which draws on a third server, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

from streamer.api.auth import digest, new_api_key
from streamer.storage.store import Store, StoreOptions
from streamer.storage.tenants import TenantLimits
from tests.support.images_server import drawn, picture, serving
from tests.support.real_program import (
    CONFIG,
    Remote,
    client,
    command,
    environment,
    free_port,
    wait_until_ready,
)

SIZE: Any = "640x352"
SELLS = "picture_api: {sizes: [640x352], per_minute: 1000}\n"
SLOW = "generator: {use: tests.support.slow_painter, backends: {tests.support.slow_painter: {step_s: 0.3}}}\n"


def drawing_on(url: str, key_file: str = "null") -> str:
    """Return the section of a program that draws on a server."""
    options = f"{{url: '{url}', model: null, key_file: {key_file}, sizes: [], partial_images: 2}}"
    return f"generator: {{use: openai_images, backends: {{openai_images: {options}}}}}\n"


@contextmanager
def running(folder: Path, config: str, key: str = "", others_key: str = "") -> Iterator[Remote]:
    """Run a program with a tenant's key of its own, and one for the server that it draws on."""
    folder.mkdir()
    (file := folder / "config.yaml").write_text(config, encoding="utf-8")
    home, port = folder / "home", free_port()
    if others_key:
        (home / "secrets").mkdir(parents=True)
        (path := home / "secrets" / "openai_images").touch(0o600)
        path.write_text(others_key, encoding="utf-8")

    async def add_key() -> None:
        async with Store.at(home, StoreOptions()).opened() as store:
            await store.tenants.add_key(digest(key), "show", TenantLimits())

    if key:
        asyncio.run(add_key())
    with command("--verbose", "run", environ=environment(home, port, file), log=folder / "log"):
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield Remote(f"http://127.0.0.1:{port}", home, folder / "log")


def used(program: Remote, key: str) -> dict[str, Any]:
    answer = httpx.get(f"{program.url}/v1/usage", headers={"authorization": f"Bearer {key}"})
    report: dict[str, Any] = answer.json()
    return report


def speaking(program: Remote, key: str) -> openai.OpenAI:
    """Return OpenAI's own client, to be closed by whoever asks for it."""
    return openai.OpenAI(base_url=f"{program.url}/v1", api_key=key, max_retries=0)


@pytest.fixture
def key() -> str:
    return new_api_key()


def test_a_show_draws_on_the_picture_api_of_another_program(tmp_path: Path, key: str) -> None:
    own_words = CONFIG.replace("forbiddenword", "otherword")
    with running(tmp_path / "far", CONFIG + SELLS, key) as far:
        near_config = own_words + drawing_on(f"{far.url}/v1", "secrets/openai_images")
        with running(tmp_path / "near", near_config, others_key=key) as near:

            async def evening() -> tuple[dict[str, Any], dict[str, object]]:
                async with client(near.url) as near.client:
                    shown = await near.shown("!bg stormy harbour", "viewer", "ann-of-the-viewers")
                    image = (await near.client.get(f"/api/v1/pictures/{shown}/image")).content
                    assert Image.open(io.BytesIO(image)).size == (640, 352)
                    refused = await near.say("!bg forbiddenword", "viewer", "tom")
                    return await near.status(), await near.ended(refused["id"])

            status, refused = asyncio.run(evening())
            assert (refused["state"], refused["rule"]) == ("refused", "generator")
            assert refused["reason"] == "the picture server refused to draw this"
            assert status["active"]["device"] == "127.0.0.1"
        (day,) = used(far, key)["days"]
        assert (day["pictures"], day["refused"], day["failed"]) == (1, 1, 0)
    logs = [(tmp_path / name / "log").read_text(encoding="utf-8") for name in ("far", "near")]
    assert not any(key in log for log in logs)
    for path in (tmp_path / "far" / "home").rglob("*"):
        assert path.is_dir() or b"ann-of-the-viewers" not in path.read_bytes(), path


def test_an_edit_goes_through_a_program_to_whoever_can_edit(tmp_path: Path, key: str) -> None:
    uploaded = picture(80, 60, "JPEG")
    with serving() as server:
        server.answer = lambda asked: drawn(picture(640, 352))
        with running(tmp_path / "far", CONFIG + SELLS + drawing_on(server.url), key) as far, speaking(far, key) as api:
            answer = api.images.edit(image=uploaded, prompt="make it winter", size=SIZE)
            assert answer.data
            data = base64.b64decode(answer.data[0].b64_json or "")
            assert Image.open(io.BytesIO(data)).size == (640, 352)
            stream = api.images.edit(image=uploaded, prompt="make it winter", size=SIZE, stream=True)
            assert [event.type for event in stream] == ["image_edit.completed"]
    assert [asked.path for asked in server.asked] == ["/v1/images/edits"] * 2
    assert all(b"make it winter" in asked.body for asked in server.asked)
    assert "show" not in str([asked.headers for asked in server.asked])


def test_a_client_that_leaves_stops_its_drawing_and_pays_nothing(tmp_path: Path, key: str) -> None:
    with running(tmp_path / "far", CONFIG + SELLS + SLOW, key) as far, speaking(far, key) as api:
        with api.images.generate(prompt="a fox", size=SIZE, stream=True, partial_images=3) as stream:
            assert next(iter(stream)).type == "image_generation.partial_image"
        wait_until_ready(far.url)
        with pytest.raises(openai.APITimeoutError):
            api.images.generate(prompt="a fox", size=SIZE, timeout=0.2)
        # Both are gone, or this one would have to wait for a place.
        assert api.images.generate(prompt="a badger", size=SIZE).data
        report = used(far, key)
    assert [(day["pictures"], day["refused"], day["failed"]) for day in report["days"]] == [(1, 0, 0)]
