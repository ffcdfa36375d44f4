"""An int8 matrix product that scales its sums while they are still in registers, for chips without fp8 (A100, RTX 30).

torch._int_mm returns int32, four bytes a value, and needs another pass to scale it; for the wide layers that pass costs
a quarter of the product.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
import torch
import triton
import triton.language as tl

ROWS, COLUMNS, DEPTH, GROUP = 128, 256, 128, 8


@triton.jit
def _kernel(
    a, b, a_scale, b_scale, out, rows, columns, depth, a_stride, b_stride, out_stride,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    # Programs walk in groups of row blocks, so that what they read of b is still in the L2 cache.
    program, tall, wide = tl.program_id(0), tl.cdiv(rows, ROWS), tl.cdiv(columns, COLUMNS)
    first = program // (GROUP * wide) * GROUP
    size = tl.minimum(tall - first, GROUP)
    row_block, column_block = first + program % (GROUP * wide) % size, program % (GROUP * wide) // size
    row, column = row_block * ROWS + tl.arange(0, ROWS), column_block * COLUMNS + tl.arange(0, COLUMNS)
    deep = tl.arange(0, DEPTH)
    a_at = a + (row % rows).to(tl.int64)[:, None] * a_stride + deep[None, :]
    b_at = b + (column % columns).to(tl.int64)[None, :] * b_stride + deep[:, None]
    total = tl.zeros((ROWS, COLUMNS), dtype=tl.int32)
    for done in range(0, depth, DEPTH):
        inside = deep < depth - done
        left = tl.load(a_at, mask=inside[None, :], other=0)
        total = tl.dot(left, tl.load(b_at, mask=inside[:, None], other=0), total, out_dtype=tl.int32)
        a_at += DEPTH
        b_at += DEPTH
    of_rows = tl.load(a_scale + row, mask=row < rows, other=0.0)
    of_columns = tl.load(b_scale + column, mask=column < columns, other=0.0)
    scaled = total.to(tl.float32) * of_rows[:, None] * of_columns[None, :]
    target = out + row.to(tl.int64)[:, None] * out_stride + column[None, :]
    tl.store(target, scaled.to(out.dtype.element_ty), mask=(row < rows)[:, None] & (column < columns)[None, :])


def int8_matmul(
    rows: torch.Tensor, weight: torch.Tensor, row_scale: torch.Tensor, column_scale: torch.Tensor, out: torch.Tensor
) -> torch.Tensor:
    """Multiply int8 rows [n, k] by the transpose of an int8 weight [m, k], into ``out`` [n, m] of any float type.

    ``row_scale`` is [n, 1] and ``column_scale`` [1, m], both float32. Raises ValueError if rows are not contiguous.
    """
    n, k = rows.shape
    m = weight.shape[0]
    if rows.stride(1) != 1 or weight.stride(1) != 1 or out.stride(1) != 1:
        raise ValueError("int8_matmul reads and writes rows that are contiguous")
    grid = (triton.cdiv(n, ROWS) * triton.cdiv(m, COLUMNS),)
    _kernel[grid](
        rows, weight, row_scale, column_scale, out, n, m, k, rows.stride(0), weight.stride(0), out.stride(0),
        ROWS, COLUMNS, DEPTH, GROUP, num_warps=8, num_stages=3,
    )  # fmt: skip
    return out
