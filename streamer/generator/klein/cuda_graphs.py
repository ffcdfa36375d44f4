"""CUDA graphs: capture a function over static buffers once, then replay it with a single launch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Run = Callable[[], None]
"""A function that works on static buffers; a captured graph is one, too."""


class GraphCapture:
    """Capture functions into graphs that share one memory pool; belongs to the thread that captures and replays.

    Sharing is safe because every function leaves its results in static buffers, never in the pool.
    A graph that replays beside other graphs must be captured by a GraphCapture of its own: cuBLAS keeps one
    workspace per stream, and the graph captures its address.
    """

    def __init__(self, stream: torch.cuda.Stream | None = None) -> None:
        """``stream`` is what the graphs are captured on; None makes one."""
        self._pool, self._stream = torch.cuda.MemPool(), stream or torch.cuda.Stream()

    def capture(self, function: Run) -> Run:
        """Run the function twice eagerly (kernels are built and algorithms chosen then), capture it, return its replay.

        Raises RuntimeError if the function does something that a graph cannot hold.
        """
        self._stream.wait_stream(torch.cuda.current_stream())
        # In the pool and on the stream of the capture, which reuses what the two runs held: otherwise a step would take
        # its memory twice.
        with torch.cuda.stream(self._stream), torch.cuda.use_mem_pool(self._pool):
            for _ in range(2):
                function()
        torch.cuda.current_stream().wait_stream(self._stream)
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        graph = torch.cuda.CUDAGraph()
        # Only this thread is checked: another may be reading weights or encoding a picture meanwhile.
        with torch.cuda.graph(graph, pool=self._pool.id, stream=self._stream, capture_error_mode="thread_local"):
            function()
        return CapturedGraph(graph, function)


@dataclass(frozen=True, slots=True)
class CapturedGraph:
    """A captured graph, and the function it was captured from.

    The graph reads the function's weights by address and keeps nothing alive: without the function they would be
    freed and overwritten, and pictures would turn black.
    """

    graph: torch.cuda.CUDAGraph
    function: Run

    def __call__(self) -> None:
        """Replay the graph."""
        self.graph.replay()
