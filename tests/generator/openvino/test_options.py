"""Each name of a choice is one that config.yaml may hold and that OpenVINO knows."""

from __future__ import annotations

from typing import get_args

import pytest

from streamer.generator.backends.openvino import Options
from streamer.generator.openvino.options import Precision, Weights


@pytest.mark.parametrize("precision", get_args(Precision))
def test_a_precision_has_its_name_in_openvino_unless_it_is_left_to_it(precision: Precision) -> None:
    pytest.importorskip("openvino")
    from streamer.generator.openvino.runtime import TYPES

    assert Options(precision=precision).precision == precision
    assert (precision in TYPES) is (precision != "auto")


@pytest.mark.parametrize("weights", get_args(Weights))
def test_weights_are_stored_in_each_way(weights: Weights) -> None:
    assert Options(weights=weights).weights == weights
