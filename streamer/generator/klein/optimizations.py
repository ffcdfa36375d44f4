"""The speed-ups by name, and which of them a machine gets; each can be turned off alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from streamer.errors import ConfigError

Precision = Literal["float32", "bfloat16", "fp8", "int8", "fp8-weights", "int8-weights"]
Attention = Literal["sdpa", "cudnn", "flash", "fp8"]

HOPPER, ADA, AMPERE_SERVER = (9, 0), (8, 9), (8, 0)


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What decides: the kind of device, its name, its compute capability, its memory, and whether Triton is there."""

    kind: Literal["cpu", "cuda"]
    name: str
    capability: tuple[int, int] = (0, 0)
    memory_gb: float = 0.0
    triton: bool = False
    fp8_attention: bool = False
    """Whether cuDNN's Python interface is there, which alone offers attention in fp8."""


@dataclass(frozen=True, slots=True)
class Optimizations:
    """Which speed-ups are on. Off is always stock diffusers' way of doing it."""

    precision: Precision = "bfloat16"
    attention: Attention = "sdpa"
    fused_qkv: bool = False
    """One projection instead of three in the double blocks."""
    kernels: bool = False
    """Own Triton kernels between the eight-bit products; needs fp8 or int8."""
    compile: bool = False
    """torch.compile of each repeated block and of the decoder, where no own kernel does the work."""
    graphs: bool = False
    """CUDA graphs over text encoder, step and decoder."""
    fast_decoder: bool = False
    """The VAE decoder channels-last, with fused normalisation."""
    gpu_jpeg: bool = False
    """JPEG by the GPU's own encoder."""


EAGER = Optimizations()


def choose_optimizations(
    machine: DeviceInfo, *, precision: str, weights_gb: float, without: Collection[str]
) -> Optimizations:
    """Pick the switches for a machine; ``precision`` other than "auto" is taken as asked, ``without`` turned off."""
    if machine.kind == "cpu":
        chosen = Optimizations(precision="float32" if precision == "auto" else _known(precision))
        return _turned_off(chosen, without)
    asked = _best_precision(machine, weights_gb) if precision == "auto" else _known(precision)
    by_kernels = machine.triton and asked in ("fp8", "int8") and "kernels" not in without
    chosen = Optimizations(
        precision=asked,
        attention="fp8" if by_kernels and asked == "fp8" and machine.fp8_attention else _best_attention(machine),
        fused_qkv=True,
        kernels=by_kernels,
        compile=machine.triton,
        graphs=True,
        fast_decoder=True,
        gpu_jpeg=True,
    )
    return _turned_off(chosen, without)


def _best_precision(machine: DeviceInfo, weights_gb: float) -> Precision:
    """Eight-bit products where the chip has fast ones; ``weights_gb`` is what the model needs in bfloat16."""
    if machine.capability >= ADA:
        return "fp8"
    if machine.capability >= AMPERE_SERVER:
        return "int8"
    return "bfloat16" if machine.memory_gb > weights_gb + 4 else "int8-weights"


def _best_attention(machine: DeviceInfo) -> Attention:
    """cuDNN's attention is twice as fast as FlashAttention-2 on Hopper and later, and slower before."""
    if machine.capability < AMPERE_SERVER:
        return "sdpa"
    return "cudnn" if machine.capability >= HOPPER else "flash"


def _turned_off(switches: Optimizations, without: Collection[str]) -> Optimizations:
    plain: dict[str, Any] = {field.name: field.default for field in fields(Optimizations) if field.name != "precision"}
    unknown = sorted(set(without) - plain.keys())
    if unknown:
        raise ConfigError(
            "generator.without", f"{unknown[0]!r} is no speed-up", fix=f"the names are: {', '.join(plain)}"
        )
    return replace(switches, **{name: plain[name] for name in without})


def _known(precision: str) -> Precision:
    for known in ("float32", "bfloat16", "fp8", "int8", "fp8-weights", "int8-weights"):
        if precision == known:
            return known  # type: ignore[return-value]
    raise ConfigError("generator.precision", f"{precision!r} is no precision", fix="leave it at auto")
