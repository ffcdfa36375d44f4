"""A server beside the process on this computer: it draws when it is its turn, or only while nothing else can."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import PROCEDURAL
from streamer.generator.slot import SlotPlace
from streamer.generator.slots import openai_images
from streamer.interfaces import HealthState
from streamer.types import Frame
from tests.support.examples import REQUEST
from tests.support.images_server import serving


def setup(home: Path) -> WorkerSetup:
    return WorkerSetup(WorkerOptions(), PROCEDURAL, (), home)


def test_it_takes_no_gpu_of_this_computer_and_is_called_as_the_server(tmp_path: Path) -> None:
    options = openai_images.Options(url="https://pictures.example/v1", standby=True)
    place = openai_images.create(options, setup(tmp_path)).place
    assert place == SlotPlace("pictures.example", here=False, standby=True)


def test_it_has_the_backends_options_and_checks() -> None:
    with pytest.raises(ValidationError, match="must name a file"):
        openai_images.Options(key_file="sk-secret")


async def test_it_draws_on_the_server(tmp_path: Path) -> None:
    with serving() as server:
        options = openai_images.Options(url=server.url, key_file=None, sizes=(), model=None)
        slot = openai_images.create(options, setup(tmp_path))
        running = asyncio.create_task(slot.run())
        try:
            async with asyncio.timeout(30):
                while not slot.free:
                    await slot.change()
                request = replace(REQUEST, params=replace(REQUEST.params, width=128, height=96))
                async with aclosing(slot.draw(request)) as items:
                    frame = [item async for item in items if isinstance(item, Frame)][-1]
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
    assert (frame.width, frame.height) == (128, 96)
    assert [asked.json["prompt"] for asked in server.asked] == [REQUEST.prompt]


async def test_without_its_key_it_draws_nothing_and_says_why(tmp_path: Path) -> None:
    slot = openai_images.create(openai_images.Options(), setup(tmp_path))
    running = asyncio.create_task(slot.run())
    try:
        async with asyncio.timeout(30):
            while slot.health().state is not HealthState.FAILED:
                await slot.change()
        assert "openai_images is missing" in slot.health().detail
        assert not slot.free
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
