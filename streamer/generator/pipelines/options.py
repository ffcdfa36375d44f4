"""The names of the optimizations for diffusers pipelines; the parent process checks config.yaml with them."""

from __future__ import annotations

from typing import Literal

Precision = Literal["float32", "bfloat16", "float16"]
RequestedPrecision = Literal["auto", Precision]
OptimizationName = Literal["attention", "fused_qkv", "channels_last", "compile", "decoder", "graphs", "text_graphs"]
