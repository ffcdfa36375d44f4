"""Fused Triton kernels for the operations between matrix products; imported only where Triton is installed."""
