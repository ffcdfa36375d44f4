"""The linear layers of a FLUX.2 transformer by its config.json, and what each is called in LoRA files.

This file imports nothing heavy: a LoRA for another model is named before torch is imported.
Letters in shapes: D width of the hidden states, M width of a feed-forward layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PREFIXES = (
    "base_model.model.", "model.diffusion_model.", "diffusion_model.", "transformer.", "lora_unet_",
    "lora_transformer_", "lycoris_", "",
)  # fmt: skip
"""What stands before a layer's name, by the program that wrote the file."""
Shape = tuple[int, int]
"""[outputs, inputs] of a layer's weight."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of one layer's weight, by diffusers' name of the layer."""

    layer: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Flux2Layers:
    """The layers of one transformer, and the rows that each name in a LoRA file stands for, in the file's order."""

    shapes: Mapping[str, Shape]
    names: Mapping[str, tuple[Rows, ...]]

    def find(self, name: str) -> tuple[Rows, ...] | None:
        """Return the rows that a name in a LoRA file stands for; None if this transformer has no such layer."""
        for prefix in PREFIXES:
            if name.startswith(prefix) and (rows := self.names.get(name.removeprefix(prefix))) is not None:
                return rows
        return None

    def inputs_of(self, rows: tuple[Rows, ...]) -> int:
        """Return how many inputs the layers of some rows have."""
        return self.shapes[rows[0].layer][1]


def flux2_layers(config: Mapping[str, Any]) -> Flux2Layers:
    """List the layers of the transformer that a config.json describes."""
    shapes = dict(_shapes(config))
    names: dict[str, tuple[Rows, ...]] = {layer: (Rows(layer, 0, shape[0]),) for layer, shape in shapes.items()}
    for name, layers in _other_names(config):
        if all(layer in shapes for layer in layers):
            names[name] = tuple(Rows(layer, 0, shapes[layer][0]) for layer in layers)
    half = shapes["norm_out.linear"][0] // 2
    # diffusers stores scale before shift here, and the model's authors the other way round.
    names["final_layer.adaLN_modulation.1"] = (
        Rows("norm_out.linear", half, half), Rows("norm_out.linear", 0, half)
    )  # fmt: skip
    # kohya writes underscores in place of the points.
    names |= {name.replace(".", "_"): rows for name, rows in names.items()}
    return Flux2Layers(shapes, names)


def _shapes(config: Mapping[str, Any]) -> Iterator[tuple[str, Shape]]:
    """Yield each linear layer's name and shape."""
    hidden = config["num_attention_heads"] * config.get("attention_head_dim", 128)
    wide, channels = int(hidden * config.get("mlp_ratio", 3.0)), config.get("in_channels", 128)
    for index in range(config["num_layers"]):
        block = f"transformer_blocks.{index}"
        for leaf in ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"):
            yield f"{block}.attn.{leaf}", (hidden, hidden)
        for stream in ("ff", "ff_context"):
            yield f"{block}.{stream}.linear_in", (2 * wide, hidden)
            yield f"{block}.{stream}.linear_out", (hidden, wide)
    for index in range(config["num_single_layers"]):
        block = f"single_transformer_blocks.{index}"
        yield f"{block}.attn.to_qkv_mlp_proj", (3 * hidden + 2 * wide, hidden)
        yield f"{block}.attn.to_out", (hidden, hidden + wide)
    yield "x_embedder", (hidden, channels)
    yield "context_embedder", (hidden, config["joint_attention_dim"])
    for embedder in ("timestep_embedder", *(("guidance_embedder",) if config.get("guidance_embeds", True) else ())):
        yield f"time_guidance_embed.{embedder}.linear_1", (hidden, config.get("timestep_guidance_channels", 256))
        yield f"time_guidance_embed.{embedder}.linear_2", (hidden, hidden)
    for stream in ("img", "txt"):
        yield f"double_stream_modulation_{stream}.linear", (6 * hidden, hidden)
    yield "single_stream_modulation.linear", (3 * hidden, hidden)
    yield "norm_out.linear", (2 * hidden, hidden)
    outputs = config.get("out_channels") or channels
    yield "proj_out", (config.get("patch_size", 1) ** 2 * outputs, hidden)


def _other_names(config: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the names that the model's authors, or fused projections, give to one layer or to several in a row."""
    for index in range(config["num_layers"]):
        ours, theirs = f"transformer_blocks.{index}", f"double_blocks.{index}"
        image = tuple(f"{ours}.attn.{leaf}" for leaf in ("to_q", "to_k", "to_v"))
        text = tuple(f"{ours}.attn.{leaf}" for leaf in ("add_q_proj", "add_k_proj", "add_v_proj"))
        yield from ((f"{theirs}.img_attn.qkv", image), (f"{ours}.attn.to_qkv", image))
        yield from ((f"{theirs}.txt_attn.qkv", text), (f"{ours}.attn.to_added_qkv", text))
        yield f"{theirs}.img_attn.proj", (f"{ours}.attn.to_out.0",)
        yield f"{theirs}.txt_attn.proj", (f"{ours}.attn.to_add_out",)
        for stream, feed_forward in (("img", "ff"), ("txt", "ff_context")):
            yield f"{theirs}.{stream}_mlp.0", (f"{ours}.{feed_forward}.linear_in",)
            yield f"{theirs}.{stream}_mlp.2", (f"{ours}.{feed_forward}.linear_out",)
    for index in range(config["num_single_layers"]):
        ours, theirs = f"single_transformer_blocks.{index}.attn", f"single_blocks.{index}"
        yield f"{theirs}.linear1", (f"{ours}.to_qkv_mlp_proj",)
        yield f"{theirs}.linear2", (f"{ours}.to_out",)
    yield from ((name, (layer,)) for name, layer in _SINGLE_NAMES.items())


_SINGLE_NAMES = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_guidance_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_guidance_embed.timestep_embedder.linear_2",
    "guidance_in.in_layer": "time_guidance_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_guidance_embed.guidance_embedder.linear_2",
    "double_stream_modulation_img.lin": "double_stream_modulation_img.linear",
    "double_stream_modulation_txt.lin": "double_stream_modulation_txt.linear",
    "single_stream_modulation.lin": "single_stream_modulation.linear",
    "final_layer.linear": "proj_out",
}
