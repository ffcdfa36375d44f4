"""CUDA graphs: a function over fixed memory is recorded once, and then costs one launch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Run = Callable[[], None]


class GraphCapture:
    """Record functions into graphs that share one pool of memory; belongs to the thread that records and replays.

    Sharing is sound because every function leaves its results in memory of its own (canvas, words), never in the pool.
    What is replayed beside other graphs needs a ``stream`` of its own to be recorded on: cuBLAS keeps one workspace per
    stream, its address is recorded, and PyTorch records everything on one stream of the process unless told otherwise.
    """

    def __init__(self, stream: torch.cuda.Stream | None = None) -> None:
        self._pool, self._stream = torch.cuda.graph_pool_handle(), stream

    def record(self, function: Run) -> Run:
        """Run twice outside (kernels are built and algorithms chosen then), record, and give what replays it."""
        side = self._stream or torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):
                function()
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        # What the two runs held outside the pool would otherwise double the memory of a step.
        torch.cuda.empty_cache()
        graph = torch.cuda.CUDAGraph()
        # Only this thread is checked: another may be reading weights or encoding a picture meanwhile.
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
            function()
        return CapturedGraph(graph, function)


@dataclass(frozen=True, slots=True)
class CapturedGraph:
    """A recorded graph, with the function it came from.

    The graph reads the function's weights by address and keeps nothing alive: without the function they would be
    freed and overwritten, and pictures would turn black.
    """

    graph: torch.cuda.CUDAGraph
    function: Run

    def __call__(self) -> None:
        """Replay."""
        self.graph.replay()
