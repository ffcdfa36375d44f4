"""The device: find it, describe it, say why it cannot be used, and copy results from it without waiting."""

from __future__ import annotations

import importlib.util

import torch
from torch import Tensor

from streamer.errors import BackendUnavailable, in_words
from streamer.generator.klein.optimizations import DeviceInfo

MIN_CAPABILITY = (7, 5)
"""The RTX 20 series."""


def find_device(requested: str) -> torch.device:
    """Return the device to draw on; raise BackendUnavailable with the reason if there is none.

    "auto" never means the CPU, which needs minutes for a picture.
    """
    if requested == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise BackendUnavailable("no usable NVIDIA GPU", fix=_explain_missing_gpu())
    device = torch.device("cuda" if requested == "auto" else requested)
    device = torch.device("cuda", device.index or 0)
    capability = torch.cuda.get_device_capability(device)
    if capability < MIN_CAPABILITY:
        raise BackendUnavailable(
            f"{torch.cuda.get_device_name(device)} is too old (compute capability {capability[0]}.{capability[1]})",
            fix="Klein needs an RTX 20 series GPU or a newer one",
        )
    return device


def describe_device(device: torch.device) -> DeviceInfo:
    """Return the facts that decide which optimizations the device gets."""
    if device.type == "cpu":
        return DeviceInfo("cpu", "CPU")
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


def _fp8_attention() -> bool:
    from streamer.generator.klein.kernels.attention import available

    return available()


def _explain_missing_gpu() -> str:
    if torch.version.cuda is None:
        return "this PyTorch is built for the CPU only; install the extra [klein] with a CUDA build of torch"
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
        self._slots[slot % len(self._slots)].copy_(source, non_blocking=True)
        if self._on_gpu:
            self._events[slot % len(self._slots)].record()

    def take(self, slot: int) -> Tensor:
        """Wait for that copy alone, and return it; it is valid until its slot is started again."""
        if self._on_gpu:
            self._events[slot % len(self._slots)].synchronize()
        return self._slots[slot % len(self._slots)]
