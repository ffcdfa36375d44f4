"""Fused Triton kernels for what stands between the matrix products; imported only where Triton and a GPU are."""
