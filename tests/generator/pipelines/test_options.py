"""The names that config.yaml takes for diffusers pipelines."""

from __future__ import annotations

from typing import get_args

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from streamer.generator.pipelines.loading import DTYPES
from streamer.generator.pipelines.options import Precision

pytestmark = pytest.mark.torch


def test_every_precision_is_a_type_of_torch() -> None:
    assert set(get_args(Precision)) == set(DTYPES)
