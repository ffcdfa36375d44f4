"""Time kernels by replaying CUDA graphs over several inputs; helpers that the sections of the bench share."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from streamer.generator.klein.kernels import quantize_rows

EPS = 1e-6
SHAPES = {"9B-1024": (4608, 4096, 512), "4B-1024": (4608, 3072, 512), "4B-512": (1152, 3072, 128)}
Call = Callable[..., Any]


@dataclass
class Report:
    """Collects the measurements and prints each at once."""

    metrics: dict[str, float] = field(default_factory=dict)

    def note(self, name: str, value: float, text: str = "") -> None:
        self.metrics[name] = round(value, 4)
        print(f"{name:58s} {value:10.3f} {text}", flush=True)


def milliseconds(calls: list[Call], repeats: int = 12) -> float:
    """Return the median milliseconds of one call in a CUDA graph of all; each call has its own inputs."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for call in calls:
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for call in calls:
            call()
    times = [_once(graph) for _ in range(repeats + 3)][3:]
    return statistics.median(times) / len(calls)


def _once(graph: torch.cuda.CUDAGraph) -> float:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    graph.replay()
    end.record()
    end.synchronize()
    return start.elapsed_time(end)


def error(got: torch.Tensor, want: torch.Tensor) -> float:
    """Return ||got - want|| / ||want||."""
    return float((got.float() - want.float()).norm() / want.float().norm())


def draw(*shape: int, scale: float = 1.0) -> torch.Tensor:
    return (torch.randn(shape, device="cuda") * scale).bfloat16()


def tables(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Make random rotary tables in diffusers' layout: each value twice."""
    angles = torch.rand(n, 64, device="cuda").repeat_interleave(2, 1) * 6
    return angles.cos(), angles.sin()


def quantized(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return quantize_rows.quantize_rows(x)


def linear(x: tuple[torch.Tensor, torch.Tensor], w: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Multiply quantized rows by a quantized weight [out, in]."""
    return torch._scaled_mm(
        x[0], w[0].t(), scale_a=x[1], scale_b=w[1].t(), out_dtype=torch.bfloat16, use_fast_accum=True
    )


def cudnn_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Attend in bf16 over [N, H, 128]; return [N, H * 128]."""
    with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
        out = F.scaled_dot_product_attention(*(x.transpose(0, 1)[None] for x in (q, k, v)))
    return out[0].transpose(0, 1).reshape(q.shape[0], -1)


def show_profile(call: Call) -> None:
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as record:
        call()
        torch.cuda.synchronize()
    print(record.key_averages().table(sort_by="cuda_time_total", row_limit=25, max_name_column_width=90))
