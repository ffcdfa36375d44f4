"""The names of the openvino backend's choices; the parent process checks config.yaml with them."""

from __future__ import annotations

from typing import Literal

Precision = Literal["auto", "float32", "bfloat16"]
Weights = Literal["int8", "float16"]
