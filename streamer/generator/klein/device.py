"""The device: find it, describe it, say why it cannot be used, and copy results from it without waiting."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

import torch
from torch import Tensor

from streamer.errors import BackendUnavailable, in_words
from streamer.generator.klein.optimizations import DeviceInfo, DeviceKind

MIN_CAPABILITY = (7, 5)
"""The RTX 20 series."""
Accelerators = Mapping[DeviceKind, int]
"""How many devices of each kind PyTorch can use."""
KINDS: Mapping[str, tuple[DeviceKind, ...]] = {
    "auto": ("cuda", "hip", "xpu", "mps"), "cuda": ("cuda", "hip"), "hip": ("hip",), "xpu": ("xpu",), "mps": ("mps",),
}  # fmt: skip
"""The kinds that each word of config.yaml stands for, the best first; PyTorch calls AMD's GPUs cuda as well."""


def find_device(requested: str) -> torch.device:
    """Return the device to draw on; raise BackendUnavailable with the reason if there is none.

    "auto" never means the CPU, which needs minutes for a picture.
    """
    if requested == "cpu":
        return torch.device("cpu")
    chosen = choose_device(requested, find_accelerators())
    if chosen is None:
        problem = "no usable GPU" if requested in ("auto", "cuda") else f"PyTorch sees no device {requested}"
        raise BackendUnavailable(problem, fix=_explain_missing_gpu())
    kind, index = chosen
    device = torch.device("cuda" if kind == "hip" else kind, index)
    if kind == "cuda":
        _require_capability(device)
    return device


def choose_device(requested: str, found: Accelerators) -> tuple[DeviceKind, int] | None:
    """Return the kind and the number of the device that is meant, or None if the machine has none such."""
    word, _, number = requested.partition(":")
    index = int(number or 0)
    return next(((kind, index) for kind in KINDS[word] if index < found.get(kind, 0)), None)


def find_accelerators() -> Accelerators:
    """Ask PyTorch what it can use; a build of it knows the GPUs of one maker."""
    nvidia_or_amd = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return {
        "hip" if torch.version.hip else "cuda": nvidia_or_amd,
        "xpu": torch.xpu.device_count() if torch.xpu.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }


def describe_device(device: torch.device) -> DeviceInfo:
    """Return the facts that decide which optimizations the device gets."""
    if device.type == "cpu":
        return DeviceInfo("cpu", "CPU")
    if device.type == "mps":
        return DeviceInfo("mps", "Apple GPU", memory_gb=torch.mps.recommended_max_memory() / 1e9)
    if device.type == "xpu" or torch.version.hip:
        kind: DeviceKind = "xpu" if device.type == "xpu" else "hip"
        properties = getattr(torch, device.type).get_device_properties(device)
        return DeviceInfo(kind, properties.name, memory_gb=properties.total_memory / 1e9)
    triton = importlib.util.find_spec("triton") is not None
    properties = torch.cuda.get_device_properties(device)
    return DeviceInfo(
        kind="cuda",
        name=properties.name,
        capability=(properties.major, properties.minor),
        memory_gb=properties.total_memory / 1e9,
        triton=triton,
        fp8_attention=triton and _fp8_attention(),
    )


def free_cached_memory() -> None:
    """Give the memory that PyTorch keeps for later back to the device, whatever kind it is."""
    if torch.accelerator.is_available():
        torch.accelerator.empty_cache()


def _require_capability(device: torch.device) -> None:
    capability = torch.cuda.get_device_capability(device)
    if capability < MIN_CAPABILITY:
        raise BackendUnavailable(
            f"{torch.cuda.get_device_name(device)} is too old (compute capability {capability[0]}.{capability[1]})",
            fix="Klein needs an RTX 20 series GPU or a newer one",
        )


def _fp8_attention() -> bool:
    from streamer.generator.klein.kernels.attention import available

    return available()


def _explain_missing_gpu() -> str:
    if torch.version.cuda is None:
        return (
            "this PyTorch has no support for a GPU of this machine; for NVIDIA install the extra [klein] with a CUDA "
            "build of torch, for AMD or Intel the build that pytorch.org names"
        )
    try:
        torch.cuda.init()
    except RuntimeError as error:
        # torch's own sentence names the driver's version and what to do about it.
        return in_words(error).splitlines()[0]
    return "check with nvidia-smi that the driver sees the GPU"


class AsyncHostCopy:
    """Copy small tensors to the host while the device works: start now, take one step later.

    ``slots`` copies may be under way at once; slot numbers wrap around.
    """

    def __init__(self, like: Tensor, slots: int = 2) -> None:
        self._on_gpu = like.is_cuda
        self._slots = [torch.empty(like.shape, dtype=like.dtype, pin_memory=self._on_gpu) for _ in range(slots)]
        self._events = [torch.cuda.Event() for _ in range(slots)] if self._on_gpu else []

    def start(self, slot: int, source: Tensor) -> None:
        """Queue a copy of ``source`` behind the work that is queued on the device."""
        # Only CUDA's events tell when a copy that nobody waited for is there.
        self._slots[slot % len(self._slots)].copy_(source, non_blocking=self._on_gpu)
        if self._on_gpu:
            self._events[slot % len(self._slots)].record()

    def take(self, slot: int) -> Tensor:
        """Wait for that copy alone, and return it; it is valid until its slot is started again."""
        if self._on_gpu:
            self._events[slot % len(self._slots)].synchronize()
        return self._slots[slot % len(self._slots)]
