"""What the faces ask for happens at once, whether or not the loops run; the whole way is tested with the pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.commands.options import CommandOptions
from streamer.commands.parser import Commands
from streamer.moderation.policy import Policy
from streamer.overlay.hub import Hub
from streamer.overlay.layer_options import LayerOptions
from streamer.pipeline.controls import Controls, ShowParts
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.scheduler import QueueOptions, Scheduler
from streamer.pipeline.stage import Stage
from streamer.storage.store import Store, StoreOptions
from tests.support.show import Easel


@pytest.fixture
async def controls(tmp_path: Path) -> AsyncIterator[Controls]:
    layers = {"background": LayerOptions(use="background")}
    store, hub, stage = Store.at(tmp_path, StoreOptions()), Hub(layers), Stage(tuple(layers))
    await store.open()
    table = {"bg": CommandOptions(kind="background", layer="background")}
    yield Controls(
        ShowParts(
            commands=Commands(table, styles={}, expires_after_s=30), policy=Policy([]),
            scheduler=Scheduler(QueueOptions()), stage=stage, store=store, generator=Easel(),
            hub=hub, metrics=Metrics(),
        )
    )  # fmt: skip
    await store.close()


async def test_each_change_is_seen_at_once_and_counted(controls: Controls) -> None:
    before = controls.version
    await controls.pause()
    assert controls.state().paused
    assert controls.version > before
    await controls.resume()
    assert not controls.state().paused


async def test_a_panic_stays_until_a_resume_whatever_is_paused_meanwhile(controls: Controls) -> None:
    await controls.panic()
    await controls.pause()
    assert (controls.state().paused, controls.state().panicked) == (True, True)
    await controls.resume()
    assert not controls.state().paused


async def test_what_is_not_there_cannot_be_undone_shown_or_cancelled(controls: Controls) -> None:
    assert not await controls.undo("background")
    assert not await controls.redo("background")
    assert not await controls.show("no such picture")
    assert not await controls.cancel("no such request")
