"""Keep the weights of a text model's layers on the host, and bring each layer to the GPU when it is its turn.

All layers share one piece of GPU memory, the size of one layer. The transfer takes most of the time of a new prompt:
2.7 GB for the 4B, a tenth of a second over PCIe 4. What is remembered of a prompt needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from streamer.generator.klein.weights import set_tensor

Fetch = Callable[[], None]


class LayerStaging:
    """The GPU memory through which the weights of every layer pass; the layers must be alike."""

    def __init__(self, device: torch.device, layers: int) -> None:
        """``layers`` is how many layers are to pass through; further ones stay on the GPU."""
        self._device, self._left = device, layers
        self._staging: Tensor | None = None

    def adopt(self, layer: nn.Module) -> None:
        """Move a layer's matrices to the host; what stays are views of the staging memory, and a hook that fills it."""
        if self._left == 0:
            return
        self._left -= 1
        matrices = _matrices(layer)
        host = torch.cat([tensor.detach().reshape(-1).view(torch.uint8).cpu() for _, tensor in matrices])
        if self._device.type == "cuda":
            host = host.pin_memory()
        if self._staging is None:
            self._staging = torch.empty_like(host, device=self._device)
        staging, start = self._staging, 0
        for name, tensor in matrices:
            end = start + tensor.numel() * tensor.element_size()
            set_tensor(layer, name, staging[start:end].view(tensor.dtype).view(tensor.shape))
            start = end

        def fetch(*_: object) -> None:
            staging.copy_(host, non_blocking=True)

        layer.fetch = fetch
        layer.register_forward_pre_hook(fetch)


def is_streamed(encoder: Any) -> bool:
    """Tell whether layers of a text model pass through staging memory."""
    return any(hasattr(layer, "fetch") for layer in encoder.layers)


def fetch_of(layer: Any) -> Fetch:
    """Return what brings a layer's weights to the GPU; it does nothing for a layer whose weights are there."""
    fetch: Fetch = getattr(layer, "fetch", lambda: None)
    return fetch


def adjacent(tensors: list[Tensor]) -> bool:
    """Tell whether tensors lie behind one another in one piece of memory, so that one view can hold them all."""
    ends = [tensor.data_ptr() + tensor.numel() * tensor.element_size() for tensor in tensors]
    pieces = {tensor.untyped_storage().data_ptr() for tensor in tensors}
    return len(pieces) == 1 and all(
        end == following.data_ptr() for end, following in zip(ends, tensors[1:], strict=False)
    )


def _matrices(layer: nn.Module) -> list[tuple[str, Tensor]]:
    """List the weights of the linear layers, in the order in which they are registered."""
    named = [*layer.named_parameters(), *layer.named_buffers()]
    order = {name: index for index, (name, _) in enumerate(layer.named_modules())}
    found = [(name, tensor) for name, tensor in named if name.endswith(".weight") and tensor.ndim == 2]
    return sorted(found, key=lambda item: order[item[0].removesuffix(".weight")])
