"""OpenVINO reports to nobody, and names the processor and its numbers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("openvino")

import openvino
from openvino.tools.ovc import telemetry_utils

from streamer.generator.openvino.runtime import Processor


def test_openvino_is_used_without_its_telemetry() -> None:
    assert sys.modules["openvino_telemetry"] is None
    assert telemetry_utils.tm.__name__ == "openvino.tools.ovc.telemetry_stub"


def test_the_processor_tells_its_name_and_in_what_it_multiplies() -> None:
    assert Processor("auto", 0).name
    assert Processor("float32", 2).precision == "float32"
    assert Processor("auto", 0).precision in ("bfloat16", "float32")
    assert openvino.__version__.startswith(Processor.version)


def test_a_file_that_is_no_network_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "network.xml").write_text("nothing")
    with pytest.raises(RuntimeError):
        Processor("auto", 1).compile(tmp_path / "network.xml")
