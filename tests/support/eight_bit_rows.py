"""Comparing rows in eight bits: two implementations may round a value to neighbouring steps."""

import torch


def within_a_step(q: torch.Tensor, want: torch.Tensor) -> None:
    """Allow one step of the 8-bit type.

    Triton's interpreter rounds fp8 carelessly: a value that rounds up to a power of two loses its carry and comes out
    halved. On a GPU the hardware rounds, and tests/gpu compares the exact values.
    """
    assert q.dtype == want.dtype
    a, b = q.float(), want.float()
    step = 1.0 if q.dtype == torch.int8 else torch.exp2(torch.floor(torch.log2(b.abs().clamp_min(2.0**-6))) - 3)
    lost_carry = (2 * a == b) & (q.dtype != torch.int8)
    assert (((a - b).abs() <= step) | lost_carry).all()


def close(actual: tuple[torch.Tensor, ...], expected: tuple[torch.Tensor, ...]) -> None:
    """Compare (..., values, scales): the scales closely, the values within a step."""
    torch.testing.assert_close(actual[-1], expected[-1], rtol=1e-5, atol=0.0)
    within_a_step(actual[-2], expected[-2])
