"""Name the optimizations and choose the ones that suit a device; each can be turned off on its own.

This module imports nothing heavy: the parent process uses its names to check config.yaml without torch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from streamer.errors import BackendUnavailable

Precision = Literal["float32", "bfloat16", "fp8", "int8", "fp8-weights", "int8-weights"]
RequestedPrecision = Literal["auto", Precision]
WIDE = ("float32", "bfloat16")
Attention = Literal["sdpa", "cudnn", "flash", "fp8"]
OptimizationName = Literal["attention", "fused_qkv", "kernels", "compile", "graphs", "fast_decoder", "gpu_jpeg"]
"""Every field of ``Optimizations`` but the precision; ``generator.backends.klein.without`` takes these names."""

DeviceKind = Literal["cpu", "cuda", "hip", "xpu", "mps"]
"""hip: AMD, which PyTorch calls cuda as well; xpu: Intel; mps: Apple."""
MEASURED: tuple[DeviceKind, ...] = ("cpu", "cuda")
"""The kinds of devices on which the optimizations were measured; the others draw with plain PyTorch."""
DEVICE_PATTERN = r"^(auto|cpu|mps|(cuda|hip|xpu)(:\d+)?)$"
"""What ``device`` takes in config.yaml."""

HOPPER, ADA, AMPERE_SERVER = (9, 0), (8, 9), (8, 0)
MemoryMode = Literal["full", "small", "tiny"]
"""How much of the text model is on the GPU: all; 15 of 27 layers and no embedding; one layer at a time."""
RequestedMemory = Literal["auto", MemoryMode]

SPARE_GB = 4.0
"""A model stays in bfloat16 on an old chip only if this much memory is left beside its weights."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """The facts about a device that decide which optimizations it gets."""

    kind: DeviceKind
    name: str
    capability: tuple[int, int] = (0, 0)
    """CUDA compute capability, (major, minor)."""
    memory_gb: float = 0.0
    """All memory of the device, in 10^9 bytes."""
    triton: bool = False
    fp8_attention: bool = False
    """Whether cuDNN's Python interface is installed and plans attention in fp8; nothing else offers it."""

    @property
    def is_measured(self) -> bool:
        """Tell whether speed and pictures were measured on this kind of device."""
        return self.kind in MEASURED

    @property
    def label(self) -> str:
        """Return the name for the status, which says so where nobody measured."""
        return self.name if self.is_measured else f"{self.name} ({self.kind}), not measured"


@dataclass(frozen=True, slots=True)
class Optimizations:
    """The optimizations that are on; each default is how stock diffusers does it."""

    precision: Precision = "bfloat16"
    attention: Attention = "sdpa"
    fused_qkv: bool = False
    """One projection instead of three in the double blocks."""
    kernels: bool = False
    """Our Triton kernels between the eight-bit products; needs fp8 or int8."""
    compile: bool = False
    """torch.compile of each repeated block and of the decoder, where none of our kernels does the work."""
    graphs: bool = False
    """CUDA graphs over text encoder and step."""
    fast_decoder: bool = False
    """The VAE decoder in channels-last, with fused normalization."""
    gpu_jpeg: bool = False
    """JPEG by the GPU's own encoder."""


EAGER = Optimizations()


def choose_optimizations(
    device: DeviceInfo, *, precision: RequestedPrecision, weights_gb: float, without: Collection[OptimizationName]
) -> Optimizations:
    """Choose the optimizations for a device.

    A ``precision`` other than "auto" is taken as asked; the optimizations named in ``without`` stay off.
    ``weights_gb`` is the size of the model's weights in bfloat16, in 10^9 bytes. Raises BackendUnavailable for a
    precision that the device does not have.
    """
    if device.kind != "cuda":
        return _turn_off(Optimizations(precision=plain_precision(device, precision)), without)
    chosen = candidates(device, weights_gb)[0] if precision == "auto" else precision
    kernels = device.triton and chosen in ("fp8", "int8") and "kernels" not in without
    optimizations = Optimizations(
        precision=chosen,
        attention="fp8" if kernels and chosen == "fp8" and device.fp8_attention else _best_attention(device),
        fused_qkv=True,
        kernels=kernels,
        compile=device.triton,
        graphs=True,
        fast_decoder=True,
        gpu_jpeg=True,
    )
    return _turn_off(optimizations, without)


def plain_precision(device: DeviceInfo, precision: RequestedPrecision) -> Precision:
    """Return the precision of plain PyTorch on a device; raise BackendUnavailable for eight bits on one without."""
    if precision == "auto":
        return "float32" if device.kind == "cpu" else "bfloat16"
    if not device.is_measured and precision not in WIDE:
        raise BackendUnavailable(
            f"{precision} is made for NVIDIA GPUs, and this is {device.name} ({device.kind})",
            fix="set generator.backends.klein.precision to auto",
        )
    return precision


def not_measured(device: DeviceInfo, names: Iterable[str] = get_args(OptimizationName)) -> dict[str, str]:
    """Say of each optimization why it is off, on a device where nobody measured; nothing on any other."""
    return {} if device.is_measured else dict.fromkeys(names, f"off: not measured on {device.kind}")


def candidates(device: DeviceInfo, weights_gb: float) -> list[Precision]:
    """List the precisions that may be the fastest on a device, the most promising first.

    ``weights_gb`` is the size of the model's weights in bfloat16, in 10^9 bytes.
    """
    eight_bit: list[Precision] = ["fp8", "int8"] if device.capability >= ADA else ["int8"]
    wide: list[Precision] = ["bfloat16"] if device.memory_gb > weights_gb + SPARE_GB else ["int8-weights"]
    return [*wide, *eight_bit] if device.capability < AMPERE_SERVER else [*eight_bit, *wide]


def _best_attention(device: DeviceInfo) -> Attention:
    """cuDNN's attention is twice as fast as FlashAttention-2 on Hopper and later, and slower before."""
    if device.capability < AMPERE_SERVER:
        return "sdpa"
    return "cudnn" if device.capability >= HOPPER else "flash"


def _turn_off(optimizations: Optimizations, without: Collection[OptimizationName]) -> Optimizations:
    defaults: dict[str, Any] = {field.name: field.default for field in fields(Optimizations)}
    return replace(optimizations, **{name: defaults[name] for name in without})
