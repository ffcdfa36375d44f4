"""The slot that everybody has: the process on this computer."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import PROCEDURAL
from streamer.generator.slot import THIS_COMPUTER, SlotPlace
from streamer.generator.slots import local


def test_it_takes_this_computers_gpu_and_has_the_name_that_it_is_given(tmp_path: Path) -> None:
    setup = WorkerSetup(WorkerOptions(), PROCEDURAL, (), tmp_path)
    assert local.create(local.Options(), setup).place == THIS_COMPUTER
    options = local.Options(name="the loud one", standby=True)
    assert local.create(options, setup).place == SlotPlace("the loud one", here=True, standby=True)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(ValidationError):
        local.Options.model_validate({"gpu": 1})
