"""How OpenVINO compiles a network for this processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openvino as ov

from streamer.generator.openvino.options import Precision

DEVICE = "CPU"
TYPES = {"float32": "f32", "bfloat16": "bf16"}


class Processor:
    """Compile networks for this processor; ``threads`` of 0 means as many as it has cores."""

    version = ".".join(ov.__version__.split("-")[0].split(".")[:3])

    def __init__(self, precision: Precision, threads: int) -> None:
        self._core = ov.Core()
        self._requested = precision
        self._settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        if precision != "auto":
            self._settings["INFERENCE_PRECISION_HINT"] = TYPES[precision]

    @property
    def name(self) -> str:
        """Return the processor's name as its maker writes it."""
        return " ".join(str(self._core.get_property(DEVICE, "FULL_DEVICE_NAME")).split())

    @property
    def precision(self) -> str:
        """Return the type in which the processor multiplies: "auto" means bfloat16 where it can."""
        if self._requested != "auto":
            return self._requested
        return "bfloat16" if "BF16" in self._core.get_property(DEVICE, "OPTIMIZATION_CAPABILITIES") else "float32"

    def compile(self, network: Path) -> ov.CompiledModel:
        """Read a network from its .xml file and compile it; raises RuntimeError for a file that is none."""
        return self._core.compile_model(network, DEVICE, self._settings)
