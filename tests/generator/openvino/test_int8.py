"""Weights in eight bits give back the weights, and networks with them compute nearly the same."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("openvino")

import openvino as ov
from openvino import opset13 as ops

from streamer.generator.openvino.int8 import compress, quantize


@pytest.mark.parametrize("axis", [0, 1])
def test_each_channel_keeps_its_own_scale(axis: int) -> None:
    weights = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    weights[(2, slice(None)) if axis == 0 else (slice(None), 2)] *= 1000
    stored, scale = quantize(weights, axis)
    assert scale.size == weights.shape[axis]
    assert (np.abs(stored * scale - weights) <= scale / 2 * 1.001).all()


def test_a_channel_of_zeros_stays_zero() -> None:
    stored, scale = quantize(np.zeros((3, 4), dtype=np.float32), 0)
    assert not stored.any()
    assert np.isfinite(scale).all()


def test_products_and_convolutions_are_replaced_and_small_weights_are_not() -> None:
    random = np.random.default_rng(1)
    kernel = random.normal(size=(16, 32, 3, 3)).astype(np.float32)
    matrix = random.normal(size=(16, 512)).astype(np.float32)
    small = random.normal(size=(512, 1)).astype(np.float32)
    picture = ops.parameter([1, 32, 8, 8], np.float32)
    seen = ops.convolution(picture, ops.constant(kernel), [1, 1], [1, 1], [1, 1], [1, 1])
    rows = ops.reshape(ops.transpose(seen, ops.constant([0, 2, 3, 1])), ops.constant([64, 16]), special_zero=False)
    wide = ops.matmul(rows, ops.constant(matrix), transpose_a=False, transpose_b=False)
    network = ov.Model([ops.matmul(wide, ops.constant(small), False, False)], [picture])
    values = random.normal(size=(1, 32, 8, 8)).astype(np.float32)
    exact = ov.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(values)[0]
    assert compress(network) == 2
    near = ov.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(values)[0]
    error = np.linalg.norm(near - exact) / np.linalg.norm(exact)
    assert 0 < error < 0.02
