"""Small previews of a pipeline's latents: what the scheduler predicts of the clean picture, as colours."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from streamer.generator.backend import Pixels
from streamer.generator.klein.preview import RIDGE, smooth_pictures


class Previews:
    """Predict the clean latents after each step of one picture, and map them to colours, one pixel a latent pixel.

    A step that says nothing of the clean picture yet gives None: noise is never shown.
    """

    def __init__(self, pipeline: Any, colours: Tensor | None) -> None:
        self._scheduler, self._colours = pipeline.scheduler, colours
        self._last: Tensor | None = None

    def after(self, step: int, latents: Tensor) -> Pixels | None:
        """Return a preview, [rows, columns, 3], or None."""
        clean, self._last = self._clean(step, latents), latents
        if self._colours is None or clean is None or clean.ndim != 4:
            return None
        with torch.inference_mode():
            values = clean[0].float().flatten(1).T @ self._colours[:-1] + self._colours[-1]
            pixels = ((values * 0.5 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
            shown: Pixels = pixels.view(*clean.shape[-2:], 3).cpu().numpy()
        return shown

    def _clean(self, step: int, latents: Tensor) -> Tensor | None:
        """Return the clean latents that the last step predicted."""
        outputs = getattr(self._scheduler, "model_outputs", None)
        if outputs and getattr(self._scheduler.config, "algorithm_type", "") == "dpmsolver++":
            predicted: Tensor | None = outputs[-1]
            return predicted
        sigmas = getattr(self._scheduler, "sigmas", None)
        is_flow = "FlowMatch" in type(self._scheduler).__name__
        if not is_flow or sigmas is None or self._last is None or step + 1 >= len(sigmas):
            return None
        before, now = float(sigmas[step]), float(sigmas[step + 1])
        return latents - now * (latents - self._last) / (now - before)


@torch.inference_mode()
def fit_colours(vae: Any) -> Tensor | None:
    """Fit scaled latents to their mean colours by least squares over smooth random pictures; [C + 1, 3] float32.

    None for an autoencoder whose latents are not simply a smaller picture.
    """
    pictures = smooth_pictures().to(vae.device, vae.dtype)
    try:
        latents = torch.cat([_encoded(vae, picture[None]) for picture in pictures]).float()
    except (TypeError, ValueError, AttributeError, RuntimeError):
        return None
    factor = pictures.shape[-1] // latents.shape[-1]
    colours = F.avg_pool2d(pictures.float(), factor).permute(0, 2, 3, 1).reshape(-1, 3)
    values = latents.permute(0, 2, 3, 1).reshape(len(colours), -1)
    inputs = torch.cat([values, torch.ones_like(values[:, :1])], dim=1)
    damping = RIDGE * len(inputs) * torch.eye(inputs.shape[1], device=inputs.device)
    solution: Tensor = torch.linalg.solve(inputs.T @ inputs + damping, inputs.T @ colours)
    return solution


def _encoded(vae: Any, picture: Tensor) -> Tensor:
    encoded = vae.encode(picture)
    latents: Tensor = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latent
    shift = getattr(vae.config, "shift_factor", None) or 0.0
    return (latents - shift) * vae.config.scaling_factor
