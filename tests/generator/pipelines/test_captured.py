"""A forward pass as graphs; the graphs themselves are tested on a GPU (tests/gpu/test_pipelines.py)."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from torch import nn

from streamer.generator.pipelines.captured import CapturedForward

pytestmark = pytest.mark.torch


def test_without_a_gpu_the_module_runs_as_it_did() -> None:
    module = nn.Linear(4, 4)
    captured, given = CapturedForward(module), torch.rand(2, 4)
    before = module(given)
    captured.put_in()
    assert module.forward is captured
    torch.testing.assert_close(module(given), before)
    captured.take_out()
    assert module.forward is not captured
    torch.testing.assert_close(module(given), before)


def test_what_another_put_in_meanwhile_stays() -> None:
    module = nn.Linear(4, 4)
    first, second = CapturedForward(module), CapturedForward(module)
    first.put_in()
    second.put_in()
    second.take_out()
    assert module.forward is first
    first.take_out()
    assert module.forward == nn.Linear.forward.__get__(module)
