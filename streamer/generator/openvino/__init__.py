"""Draws on the processor with OpenVINO: one-step models of Stable Diffusion's kind, without a GPU."""

import sys

# OpenVINO sends its maker a note of each conversion, unless this package of its own is missing. Here, so that no module
# of this package can import OpenVINO before.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
