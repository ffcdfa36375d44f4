"""FLUX.2's VAE decoder on fused kernels: channels-last, no separate bias or normalization passes, bytes at the end."""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-call"
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F

from streamer.generator.klein.kernels.group_norm import add, affine_of, apply, channel_sums
from streamer.generator.klein.kernels.pixels import softmax_rows, to_bytes

STRIP_PIXELS = 2**16
"""A strip of a picture that is decoded in strips holds about so many pixels."""
# Scores of 4,096 queries at a time: at 1024x1024 a quarter gigabyte instead of one.
QUERY_ROWS = 4096


@dataclass(frozen=True, slots=True)
class DecoderNorm:
    """The parameters of a GroupNorm; weight and bias are [C]."""

    weight: torch.Tensor
    bias: torch.Tensor
    groups: int
    eps: float


@dataclass(frozen=True, slots=True)
class DecoderConv:
    """A convolution's channels-last weight [out, in, y, x], and its bias [out], which the next step folds in."""

    weight: torch.Tensor
    bias: torch.Tensor


@dataclass(frozen=True, slots=True)
class DecoderActivation:
    """One channels-last picture [1, C, h, w].

    ``pending`` [C] is still to be added to its channels; ``sums`` [programs, 2, C] are its statistics, where known.
    """

    x: torch.Tensor
    pending: torch.Tensor | None = None
    sums: torch.Tensor | None = None

    @property
    def rows(self) -> torch.Tensor:
        """The picture viewed as [pixels, C]."""
        return self.x[0].permute(1, 2, 0).flatten(0, 1)

    def like(self, rows: torch.Tensor) -> torch.Tensor:
        """View [pixels, C] as a picture of this size."""
        return rows.view(1, *self.x.shape[2:], rows.shape[1]).permute(0, 3, 1, 2)


NormAndConvolve = Callable[[DecoderActivation, DecoderNorm, DecoderConv], DecoderActivation]
"""Normalize a picture, apply SiLU, and convolve it."""
DecoderStep = Callable[[DecoderActivation, NormAndConvolve], DecoderActivation]


def _affine(picture: DecoderActivation, norm: DecoderNorm) -> torch.Tensor:
    rows = picture.rows
    sums = picture.sums if picture.sums is not None else channel_sums(rows)
    return affine_of(sums, rows.shape[0], norm.weight, norm.bias, norm.groups, norm.eps, picture.pending)


def _normalize(picture: DecoderActivation, norm: DecoderNorm, silu: bool) -> torch.Tensor:
    return apply(picture.rows, _affine(picture, norm), silu)


def convolve_whole(picture: DecoderActivation, norm: DecoderNorm, conv: DecoderConv) -> DecoderActivation:
    """Normalize and convolve the whole picture at once."""
    return _convolve(DecoderActivation(picture.like(_normalize(picture, norm, True))), conv)


def convolve_in_strips(picture: DecoderActivation, norm: DecoderNorm, conv: DecoderConv) -> DecoderActivation:
    """Do the same strip by strip, each with a row of its neighbours: no normalized copy of the whole is held."""
    _, channels, height, width = picture.x.shape
    lines, edge = max(1, STRIP_PIXELS // width), conv.weight.shape[-1] // 2
    if lines >= height:
        return convolve_whole(picture, norm, conv)
    affine, rows = _affine(picture, norm), picture.rows
    out = torch.empty(
        (1, conv.weight.shape[0], height, width), dtype=picture.x.dtype, device=picture.x.device,
        memory_format=torch.channels_last,
    )  # fmt: skip
    for top in range(0, height, lines):
        bottom = min(height, top + lines)
        above, below = max(0, top - edge), min(height, bottom + edge)
        normalized = apply(rows[above * width : below * width], affine, True)
        strip = normalized.view(1, below - above, width, channels).permute(0, 3, 1, 2)
        convolved = F.conv2d(strip, conv.weight, padding=edge)
        out[:, :, top:bottom] = convolved[:, :, top - above : bottom - above]
    return DecoderActivation(out, conv.bias)


def _convolve(picture: DecoderActivation, conv: DecoderConv) -> DecoderActivation:
    return DecoderActivation(F.conv2d(picture.x, conv.weight, padding=conv.weight.shape[-1] // 2), conv.bias)


@dataclass(frozen=True, slots=True)
class ResnetBlock:
    """Two convolutions beside a shortcut."""

    norm1: DecoderNorm
    conv1: DecoderConv
    norm2: DecoderNorm
    conv2: DecoderConv
    shortcut: DecoderConv | None

    def __call__(self, picture: DecoderActivation, convolve: NormAndConvolve) -> DecoderActivation:
        """Add the convolved branch to the picture; the same pass computes the next norm's statistics."""
        h = convolve(picture, self.norm1, self.conv1)
        h = convolve(h, self.norm2, self.conv2)
        pending = self.conv2.bias if picture.pending is None else self._pending_after(picture.pending)
        if self.shortcut is None:
            sums = add(h.rows, picture.rows, pending, sums=True)
            return DecoderActivation(h.x, None, sums)
        if picture.pending is None:
            pending = pending + self.shortcut.bias
        h.rows.addmm_(picture.rows, self.shortcut.weight.flatten(1).t())
        return DecoderActivation(h.x, pending)

    def _pending_after(self, pending: torch.Tensor) -> torch.Tensor:
        if self.shortcut is None:
            return self.conv2.bias + pending
        return torch.addmv(self.conv2.bias + self.shortcut.bias, self.shortcut.weight.flatten(1), pending)


@dataclass(frozen=True, slots=True)
class DecoderAttention:
    """Single-head attention over all pixels as two matrix products around a softmax.

    Its head of 512 is too wide for the flash kernels: those fall back to one five times slower.
    """

    norm: DecoderNorm
    qkv: DecoderConv
    out: DecoderConv

    def __call__(self, picture: DecoderActivation, _: NormAndConvolve) -> DecoderActivation:
        """Add to every pixel what it attends to."""
        rows = _normalize(picture, self.norm, False)
        q, k, v = torch.addmm(self.qkv.bias, rows, self.qkv.weight.t()).chunk(3, dim=1)
        attended = torch.cat([self._attend(part, k, v) for part in q.split(QUERY_ROWS)])
        h = torch.mm(attended, self.out.weight.t())
        pending = self.out.bias if picture.pending is None else self.out.bias + picture.pending
        return DecoderActivation(picture.like(h), None, add(h, picture.rows, pending, sums=True))

    def _attend(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        scores = torch.mm(q, k.t()) if q.dtype == torch.float32 else torch.mm(q, k.t(), out_dtype=torch.float32)
        return softmax_rows(scores, q.shape[1] ** -0.5, v.dtype) @ v


@dataclass(frozen=True, slots=True)
class UpsampleBlock:
    """Nearest-neighbour doubling and a 3x3 convolution, as one transposed convolution with 4/9 of the arithmetic."""

    conv: DecoderConv

    def __call__(self, picture: DecoderActivation, _: NormAndConvolve) -> DecoderActivation:
        """Double the picture's sides."""
        x = picture.x if picture.pending is None else picture.x + picture.pending[None, :, None, None]
        return DecoderActivation(F.conv_transpose2d(x, self.conv.weight, stride=2, padding=1), self.conv.bias)


def doubling_weight(weight: torch.Tensor) -> torch.Tensor:
    """Turn a weight [out, in, 3, 3] after a doubling into that of a transposed convolution [in, out, 4, 4], float32."""
    # Along one axis a source pixel reaches four output pixels, through these sums of the three taps.
    taps = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], device=weight.device, dtype=torch.float32)
    return torch.einsum("oiyx,ay,bx->ioab", weight.float(), taps, taps)


def _norm(module: Any) -> DecoderNorm:
    return DecoderNorm(module.weight.detach(), module.bias.detach(), module.num_groups, module.eps)


def _conv(module: Any) -> DecoderConv:
    return DecoderConv(module.weight.detach().contiguous(memory_format=torch.channels_last), module.bias.detach())


def _resnet(module: Any) -> ResnetBlock:
    shortcut = _conv(module.conv_shortcut) if module.conv_shortcut is not None else None
    return ResnetBlock(_norm(module.norm1), _conv(module.conv1), _norm(module.norm2), _conv(module.conv2), shortcut)


def _attention(module: Any) -> DecoderAttention:
    parts = (module.to_q, module.to_k, module.to_v)
    qkv = DecoderConv(torch.cat([p.weight.detach() for p in parts]), torch.cat([p.bias.detach() for p in parts]))
    out = module.to_out[0]
    return DecoderAttention(_norm(module.group_norm), qkv, DecoderConv(out.weight.detach(), out.bias.detach()))


def _upsample(module: Any) -> UpsampleBlock:
    weight = doubling_weight(module.conv.weight.detach()).to(module.conv.weight.dtype)
    return UpsampleBlock(DecoderConv(weight.contiguous(memory_format=torch.channels_last), module.conv.bias.detach()))


def _steps(decoder: Any) -> list[DecoderStep]:
    """Walk the decoder's modules between its first and its last convolution."""
    mid = decoder.mid_block
    steps: list[DecoderStep] = [_resnet(mid.resnets[0])]
    for attention, resnet in zip(mid.attentions, mid.resnets[1:], strict=True):
        steps += [*([_attention(attention)] if attention is not None else []), _resnet(resnet)]
    for block in decoder.up_blocks:
        steps += map(_resnet, block.resnets)
        steps += map(_upsample, block.upsamplers or ())
    return steps


@dataclass(frozen=True, slots=True)
class FusedDecoder:
    """Decode latents [1, 32, h, w] into a picture [1, 3, 8h, 8w], or into pixels [8h, 8w, 3] uint8 with ``as_bytes``.

    With ``search`` the first call of each shape times cuDNN's algorithms, so call it once before a CUDA graph captures
    it. A call raises ValueError for more than one picture.
    """

    before: DecoderConv | None
    first: DecoderConv
    steps: tuple[DecoderStep, ...]
    final: DecoderNorm
    last: DecoderConv
    as_bytes: bool
    convolve: NormAndConvolve = convolve_whole
    search: bool = True

    def in_strips(self, *, search: bool) -> FusedDecoder:
        """Return the same decoder, with the same weights, that takes less memory and a little longer."""
        return replace(self, convolve=convolve_in_strips, search=search)

    def __call__(self, latents: torch.Tensor) -> torch.Tensor:
        """Decode one picture."""
        if latents.dim() != 4 or latents.shape[0] != 1:
            raise ValueError(f"latents must be one picture [1, channels, h, w], not {tuple(latents.shape)}")
        with torch.backends.cudnn.flags(enabled=True, benchmark=self.search):
            x = self._run(latents.to(self.first.weight.dtype).contiguous(memory_format=torch.channels_last))
        if self.as_bytes:
            return to_bytes(x[0].permute(1, 2, 0).contiguous(), self.last.bias)
        return x + self.last.bias[None, :, None, None]

    def _run(self, x: torch.Tensor) -> torch.Tensor:
        if self.before is not None:
            x = F.conv2d(x, self.before.weight, self.before.bias)
        picture = _convolve(DecoderActivation(x), self.first)
        for step in self.steps:
            picture = step(picture, self.convolve)
        return self.convolve(picture, self.final, self.last).x


def fast_decoder(vae: Any, as_bytes: bool = False) -> FusedDecoder:
    """Build a decoder from the weights of ``vae``."""
    decoder = vae.decoder
    return FusedDecoder(
        before=_conv(vae.post_quant_conv) if vae.post_quant_conv is not None else None,
        first=_conv(decoder.conv_in),
        steps=tuple(_steps(decoder)),
        final=_norm(decoder.conv_norm_out),
        last=_conv(decoder.conv_out),
        as_bytes=as_bytes,
    )
