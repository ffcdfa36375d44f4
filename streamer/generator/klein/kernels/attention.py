"""Attention in fp8 through cuDNN's own graph interface, where the nvidia-cudnn-frontend package is installed."""

from __future__ import annotations

# mypy: disable-error-code="untyped-decorator"
import importlib.util
from functools import lru_cache
from typing import Any

import torch

from streamer.generator.klein.quantize import FP8_MAX

HEAD = 128
# Probabilities lie in [0, 1]; shifted up by 2^8 the small ones keep their bits in e4m3, whose least value is 2^-9.
PROBABILITY_SCALE = 256.0


def available() -> bool:
    """Tell whether fp8 attention can run: Hopper or newer, and cuDNN's Python interface with a plan for it."""
    if not torch.cuda.is_available() or torch.cuda.get_device_capability() < (9, 0):
        return False
    if importlib.util.find_spec("cudnn") is None:
        return False
    import cudnn

    try:
        _plan(256, 256, 1, torch.cuda.current_device())
    except (cudnn.cudnnGraphNotSupportedError, RuntimeError):
        return False
    return True


def attention_scales(
    wq: torch.Tensor, wk: torch.Tensor, wv: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor
) -> torch.Tensor:
    """Bound q, k and v ahead of time, and return the scales that keep them inside fp8: [4] float32, for q, k, v, 1 / v.

    ``wq`` and ``wk`` are the weights of the heads' norms, [128] or [2, 128]; ``wv`` [D, D] is the projection to values;
    ``scale`` and ``shift`` [D] modulate its input. A normalized row of width D has length sqrt(D), so no row of weights
    can make more of it than sqrt(D) times its own length. The bound is loose by some five bits; e4m3 has a range of
    seventeen.
    """
    query, key = (HEAD**0.5 * w.float().abs().max() for w in (wq, wk))
    rows = wv.float()
    longest = rows.shape[1] ** 0.5 * (rows * (1 + scale.float())).norm(dim=1) + (rows @ shift.float()).abs()
    scales = torch.stack([query, key, longest.max()]).clamp_min(1e-6) / FP8_MAX
    return torch.cat([scales, 1 / scales[2:]])


@lru_cache(maxsize=8)
def _handle(device: int) -> Any:
    import cudnn

    with torch.cuda.device(device):
        return cudnn.create_handle()


@lru_cache(maxsize=64)
def _plan(rows: int, attended: int, heads: int, device: int) -> tuple[Any, dict[str, Any], int]:
    """Build cuDNN's plan for one shape; return it with its tensors and its workspace size in bytes."""
    import cudnn

    handle = _handle(device)
    fp8, single = cudnn.data_type.FP8_E4M3, cudnn.data_type.FLOAT
    graph = cudnn.pygraph(io_data_type=fp8, intermediate_data_type=single, compute_data_type=single, handle=handle)
    names = {"q": rows, "k": attended, "v": attended}
    shape, stride = _layout(rows, heads)
    t = {
        name: graph.tensor(name=name, dim=dim, stride=steps, data_type=fp8)
        for name, (dim, steps) in ((name, _layout(count, heads)) for name, count in names.items())
    }
    scalar = {"dim": (1, 1, 1, 1), "stride": (1, 1, 1, 1), "data_type": single}
    scalar_names = ("descale_q", "descale_k", "descale_v", "descale_s", "scale_s", "scale_o")
    t |= {name: graph.tensor(name=name, **scalar) for name in scalar_names}
    out, _, amax_s, amax_o = graph.sdpa_fp8(
        **t, attn_scale=HEAD**-0.5, use_causal_mask=False, generate_stats=False, name="attention"
    )
    # On Hopper cuDNN writes fp8 only.
    out.set_output(True).set_dim(shape).set_stride(stride).set_data_type(fp8)
    for amax in (amax_s, amax_o):
        amax.set_output(True).set_dim((1, 1, 1, 1)).set_stride((1, 1, 1, 1)).set_data_type(single)
    graph.validate()
    graph.build_operation_graph()
    graph.create_execution_plans([cudnn.heur_mode.A])
    graph.check_support()
    graph.build_plans()
    return graph, {**t, "out": out, "amax_s": amax_s, "amax_o": amax_o}, graph.get_workspace_size()


def _layout(rows: int, heads: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return (1, heads, rows, HEAD), (rows * heads * HEAD, HEAD, heads * HEAD, 1)


@lru_cache(maxsize=8)
def _constants(device: int) -> tuple[torch.Tensor, torch.Tensor]:
    scale = torch.full((1,), PROBABILITY_SCALE, device=f"cuda:{device}")
    return scale, 1 / scale


@torch.library.custom_op("streamer_klein::attention_fp8", mutates_args=())
def attention_fp8(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Attend over fp8 q [N, H, 128] and k, v [M, H, 128] times ``scales``; return fp8 [N, H * 128], times scales[2].

    ``scales`` [4] float32 come from ``attention_scales``. An output is a mean of values, so the scale of v fits it too.
    Raises ValueError for another type or layout.
    """
    import cudnn

    for name, x in (("q", q), ("k", k), ("v", v)):
        like = q.shape[1:] if name == "q" else k.shape
        if x.shape[-len(like) :] != like or x.shape[1:] != (q.shape[1], HEAD) or not x.is_contiguous():
            raise ValueError(f"{name} must be contiguous [rows, {q.shape[1]}, {HEAD}], not {tuple(x.shape)}")
        if x.dtype != torch.float8_e4m3fn:
            raise ValueError(f"{name} must be fp8, not {x.dtype}")
    rows, heads, device = q.shape[0], q.shape[1], q.device.index or 0
    graph, t, size = _plan(rows, k.shape[0], heads, device)
    scale_s, descale_s = _constants(device)
    out = torch.empty((rows, heads * HEAD), device=q.device, dtype=q.dtype)
    amax = torch.empty(2, device=q.device)
    workspace = torch.empty(max(size, 1), device=q.device, dtype=torch.uint8)
    pack = {
        t["q"]: q, t["k"]: k, t["v"]: v, t["out"]: out, t["amax_s"]: amax[:1], t["amax_o"]: amax[1:],
        t["descale_q"]: scales[0:1], t["descale_k"]: scales[1:2], t["descale_v"]: scales[2:3],
        t["descale_s"]: descale_s, t["scale_s"]: scale_s, t["scale_o"]: scales[3:4],
    }  # fmt: skip
    handle = _handle(device)
    cudnn.set_stream(handle=handle, stream=torch.cuda.current_stream(q.device).cuda_stream)
    graph.execute({key: x.data_ptr() for key, x in pack.items()}, workspace.data_ptr(), handle=handle)
    return out


@attention_fp8.register_fake
def _(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    return q.new_empty((q.shape[0], q.shape[1] * q.shape[2]))
