"""Store a network's weights in eight bits: one scale for each output channel, multiplied back when it is compiled.

NNCF does the same and brings scikit-learn and scipy with it; OpenVINO recognizes the pattern, whoever writes it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as ops

WEIGHTED = {"MatMul": 1, "Convolution": 1, "Gather": 0}
"""The operations that read weights, and which of their inputs that is; a table of embeddings is gathered from."""
FEWEST = 1024
"""Smaller weights stay as they are: they take no room."""
LARGEST = 127

Floats = npt.NDArray[np.float32]


def compress(network: ov.Model) -> int:
    """Replace the weights of products, convolutions and embeddings in place; return how many were replaced."""
    replaced = 0
    for operation in network.get_ordered_ops():
        weights = _weights_of(operation)
        if weights is None:
            continue
        stored, scale = quantize(weights, _channel_axis(operation, weights.ndim))
        restored = ops.multiply(ops.convert(ops.constant(stored), "f32"), ops.constant(scale))
        for reader in _source(operation).get_target_inputs():
            reader.replace_source_output(restored.output(0))
        replaced += 1
    return replaced


def quantize(weights: Floats, axis: int) -> tuple[npt.NDArray[np.int8], Floats]:
    """Return weights in int8 and the scales that give them back, one for each index along an axis."""
    others = tuple(other for other in range(weights.ndim) if other != axis)
    scale = np.abs(weights).max(axis=others, keepdims=True) / LARGEST
    scale[scale == 0] = 1
    stored = np.rint(weights / scale).clip(-LARGEST, LARGEST).astype(np.int8)
    return stored, scale.astype(np.float32)


def _weights_of(operation: ov.Node) -> Floats | None:
    """Return the constant that an operation multiplies with, unless there is none or it is small."""
    if operation.get_type_name() not in WEIGHTED:
        return None
    constant = _source(operation).get_node()
    if constant.get_type_name() != "Constant" or constant.get_element_type() != ov.Type.f32:
        return None
    weights: Floats = constant.get_data()
    return weights if weights.ndim >= 2 and weights.size >= FEWEST else None


def _source(operation: ov.Node) -> ov.Output:
    return operation.input(WEIGHTED[operation.get_type_name()]).get_source_output()


def _channel_axis(operation: ov.Node, dimensions: int) -> int:
    if operation.get_type_name() != "MatMul":
        return 0
    return dimensions - 2 if operation.get_attributes()["transpose_b"] else dimensions - 1
