"""A network's forward pass as CUDA graphs: one for each shape of its inputs, captured when the shape is first seen."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from streamer.generator.klein.cuda_graphs import GraphCapture, Run

MOST_SHAPES = 8
"""How many shapes are captured; further ones run eagerly."""


@dataclass(frozen=True, slots=True)
class _Graph:
    """A captured forward pass: the tensors that it reads, how to run it, and where it leaves its output."""

    inputs: list[Tensor]
    run: Run
    output: list[Any]


class CapturedForward:
    """Stand in for a module's ``forward``; belongs to the thread that captures and replays.

    Inputs are copied into the graph and outputs out of it, so that nobody sees a tensor that the next call overwrites.
    """

    def __init__(self, module: Any) -> None:
        self._module, self._forward = module, module.forward
        self._capture: GraphCapture | None = None
        self._graphs: dict[Hashable, _Graph] = {}

    def put_in(self) -> None:
        """Let the module run by graphs from now on, of what its forward pass is now."""
        self._forward, self._module.forward = self._module.forward, self

    def take_out(self) -> None:
        """Let the module run as it did, and free the graphs' memory."""
        if self._module.forward is self:
            self._module.forward = self._forward
        self._graphs.clear()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Replay the graph of these shapes, capture it, or run eagerly where there are too many."""
        leaves, structure = tree_flatten((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        signature = (structure, *map(_signature, leaves))
        graph = self._graphs.get(signature)
        if graph is None:
            if len(self._graphs) >= MOST_SHAPES or not all(tensor.is_cuda for tensor in tensors):
                return self._forward(*args, **kwargs)
            graph = self._graphs[signature] = self._captured(leaves, structure)
        for static, tensor in zip(graph.inputs, tensors, strict=True):
            static.copy_(tensor)
        graph.run()
        return tree_map(_copied, graph.output[0])

    def _captured(self, leaves: list[Any], structure: Any) -> _Graph:
        """Capture the forward pass; raises RuntimeError if it does what a graph cannot hold."""
        static = [leaf.clone() if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        args, kwargs = tree_unflatten(static, structure)
        output: list[Any] = [None]

        def run() -> None:
            output[0] = self._forward(*args, **kwargs)

        self._capture = self._capture or GraphCapture()
        replay = self._capture.capture(run)
        return _Graph([leaf for leaf in static if isinstance(leaf, Tensor)], replay, output)


def _signature(leaf: Any) -> Hashable:
    """Return what a graph depends on: of a tensor its shape and type, of anything else its value."""
    return (tuple(leaf.shape), leaf.dtype) if isinstance(leaf, Tensor) else repr(leaf)


def _copied(leaf: Any) -> Any:
    return leaf.clone() if isinstance(leaf, Tensor) else leaf
