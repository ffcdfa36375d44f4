"""Each device gets the optimizations that suit it, and each can be turned off on its own."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import pytest

from streamer.errors import BackendUnavailable
from streamer.generator.klein.optimizations import (
    EAGER,
    DeviceInfo,
    OptimizationName,
    Optimizations,
    candidates,
    choose_optimizations,
    not_measured,
)


def machine(name: str, capability: tuple[int, int], memory_gb: float, **more: bool) -> DeviceInfo:
    return DeviceInfo("cuda", name, capability, memory_gb, **{"triton": True, **more})


H200 = machine("H200", (9, 0), 141, fp8_attention=True)
A100 = machine("A100", (8, 0), 80)
RTX_4090 = machine("RTX 4090", (8, 9), 24)
RTX_3060 = machine("RTX 3060", (8, 6), 12)
RTX_5090 = machine("RTX 5090", (12, 0), 32)
TURING = machine("RTX 2080 Ti", (7, 5), 11)
CPU = DeviceInfo("cpu", "CPU")


@pytest.mark.parametrize(
    ("on", "precision", "attention", "kernels"),
    [
        (H200, "fp8", "fp8", True),
        (A100, "int8", "flash", True),
        (RTX_4090, "fp8", "flash", True),
        (RTX_3060, "int8", "flash", True),
        (RTX_5090, "fp8", "cudnn", True),
        (TURING, "int8-weights", "sdpa", False),
    ],
)
def test_auto_picks_by_the_chip(on: DeviceInfo, precision: str, attention: str, kernels: bool) -> None:
    """Eight-bit products where the chip has them, the attention that is fastest there."""
    chosen = choose_optimizations(on, precision="auto", weights_gb=14, without=())
    assert (chosen.precision, chosen.attention, chosen.kernels) == (precision, attention, kernels)
    assert chosen.graphs
    assert chosen.fused_qkv


def test_an_old_chip_with_room_keeps_wide_weights() -> None:
    """Weights in eight bits alone save memory and cost time, so only where memory is short."""
    assert choose_optimizations(TURING, precision="auto", weights_gb=5, without=()).precision == "bfloat16"


def test_the_cpu_draws_plainly() -> None:
    """Without a GPU nothing is switched on."""
    assert choose_optimizations(CPU, precision="auto", weights_gb=14, without=()) == Optimizations(precision="float32")


RADEON = DeviceInfo("hip", "Radeon RX 7900 XTX", memory_gb=24)
ARC = DeviceInfo("xpu", "Arc Pro B60", memory_gb=24)
APPLE = DeviceInfo("mps", "Apple GPU", memory_gb=48)


@pytest.mark.parametrize("on", [RADEON, ARC, APPLE], ids=lambda device: device.kind)
def test_a_device_that_nobody_measured_draws_plainly_and_says_so(on: DeviceInfo) -> None:
    """No graphs, no Triton, no eight bits; the status names each optimization as not measured."""
    assert choose_optimizations(on, precision="auto", weights_gb=14, without=()) == Optimizations(precision="bfloat16")
    assert not_measured(on) == dict.fromkeys(get_args(OptimizationName), f"off: not measured on {on.kind}")
    assert on.label == f"{on.name} ({on.kind}), not measured"
    with pytest.raises(BackendUnavailable, match="fp8 is made for NVIDIA GPUs") as caught:
        choose_optimizations(on, precision="fp8", weights_gb=14, without=())
    assert "generator.backends.klein.precision" in str(caught.value)


def test_nothing_is_said_of_a_device_that_was_measured() -> None:
    """The status of NVIDIA's GPUs and of the processor stays as it is."""
    assert (not_measured(H200), not_measured(CPU)) == ({}, {})
    assert (H200.label, CPU.label) == ("H200", "CPU")


@pytest.mark.parametrize("name", get_args(OptimizationName))
def test_each_optimization_can_be_turned_off_alone(name: OptimizationName) -> None:
    """Turning one off leaves the others as they are, except what cannot work without it."""
    everything = choose_optimizations(H200, precision="auto", weights_gb=14, without=())
    less = choose_optimizations(H200, precision="auto", weights_gb=14, without=(name,))
    assert getattr(less, name) == getattr(EAGER, name)
    changed = {
        field.name for field in fields(Optimizations) if getattr(less, field.name) != getattr(everything, field.name)
    }
    assert changed <= {name, "attention"} if name == "kernels" else changed == {name}


def test_attention_in_fp8_needs_the_kernels() -> None:
    """Only the fused kernels compute its inputs."""
    assert choose_optimizations(H200, precision="auto", weights_gb=14, without=["kernels"]).attention == "cudnn"


def test_an_asked_precision_is_taken() -> None:
    """A precision that is named is used; without eight bits there are no kernels between eight-bit products."""
    chosen = choose_optimizations(H200, precision="bfloat16", weights_gb=14, without=())
    assert (chosen.precision, chosen.kernels, chosen.compile) == ("bfloat16", False, True)


def test_the_names_are_those_of_the_fields() -> None:
    """An optimization that has no name could not be turned off."""
    assert {*get_args(OptimizationName), "precision"} == {field.name for field in fields(Optimizations)}


@pytest.mark.parametrize(
    ("capability", "memory_gb", "expected"),
    [
        ((9, 0), 80.0, ["fp8", "int8", "bfloat16"]),
        ((8, 6), 12.0, ["int8", "int8-weights"]),
        ((7, 5), 11.0, ["int8-weights", "int8"]),
    ],
)
def test_only_what_a_card_can_do_is_measured(
    capability: tuple[int, int], memory_gb: float, expected: list[str]
) -> None:
    """Eight-bit floats begin with Ada, and wide weights need room."""
    assert candidates(DeviceInfo("cuda", "card", capability, memory_gb), weights_gb=14.0) == expected
