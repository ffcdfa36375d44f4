"""Objects of diffusers' and transformers' own classes, whose inside is computed by OpenVINO.

A pipeline finds classes, configs, types and devices as ever; there are no weights of PyTorch in memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTinyOutput
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from streamer.generator.checkpoint_check import readable
from streamer.generator.openvino.convert import NETWORK, autoencoder_class
from streamer.generator.openvino.runtime import Processor


class Network:
    """One compiled network, which belongs to one thread; ``inputs`` are the names of what it takes."""

    def __init__(self, processor: Processor, folder: Path) -> None:
        with readable(folder):
            compiled = processor.compile(folder / NETWORK)
        self.inputs = frozenset(name for port in compiled.inputs for name in port.get_names())
        self._request = compiled.create_infer_request()

    def __call__(self, **values: Tensor) -> Tensor:
        """Compute the network's output, which is the caller's to keep."""
        arrays = {name: value.contiguous().numpy() for name, value in values.items() if name in self.inputs}
        result = self._request.infer(arrays, share_inputs=True)
        return torch.from_numpy(result[0])


def text_encoder(processor: Processor, networks: Path, folder: Path) -> Any:
    """Return a text encoder that answers with the hidden states of its last layer."""
    with readable(folder), torch.device("meta"):
        encoder = CLIPTextModel(CLIPTextConfig.from_pretrained(folder, local_files_only=True))
    network = Network(processor, networks / "text_encoder")
    encoder.forward = lambda ids, **_: (network(values=ids),)
    return _hollow(encoder)


def unet(processor: Processor, networks: Path, folder: Path) -> Any:
    """Return a UNet that predicts the noise; its sinusoids are computed here, in float32."""
    unet = _blank(UNet2DConditionModel, folder)
    network, sinusoids = Network(processor, networks / "unet"), unet.time_proj

    def forward(
        sample: Tensor, timestep: Tensor, encoder_hidden_states: Tensor, timestep_cond: Tensor | None = None, **_: Any
    ) -> tuple[Tensor]:
        steps = torch.as_tensor(timestep).reshape(-1).expand(len(sample))
        more = {} if timestep_cond is None else {"timestep_cond": timestep_cond}
        return (network(sample=sample, timestep=sinusoids(steps), encoder_hidden_states=encoder_hidden_states, **more),)

    unet.forward = forward
    return _hollow(unet)


def autoencoder(processor: Processor, networks: Path, folder: Path) -> Any:
    """Return an autoencoder of either kind."""
    kind = autoencoder_class(folder)
    vae = _blank(kind, folder)
    decoder, encoder = (Network(processor, networks / part) for part in ("vae_decoder", "vae_encoder"))

    def encode(picture: Tensor, **_: Any) -> Any:
        found = encoder(values=picture)
        if kind is AutoencoderTiny:
            return AutoencoderTinyOutput(latents=found)
        return AutoencoderKLOutput(latent_dist=DiagonalGaussianDistribution(found))

    vae.decode = lambda latents, **_: (decoder(values=latents),)
    vae.encode = encode
    return _hollow(vae)


def _blank(kind: Any, folder: Path) -> Any:
    """Build a module without weights by its config."""
    with readable(folder), torch.device("meta"):
        return kind.from_config(kind.load_config(folder, local_files_only=True))


def _hollow(module: Any) -> Any:
    """Take everything out of a module but its class and config; one number tells its device and type."""
    for name in list(module._modules):
        del module._modules[name]
    module.register_parameter("anchor", nn.Parameter(torch.zeros(1), requires_grad=False))
    return module.eval()
