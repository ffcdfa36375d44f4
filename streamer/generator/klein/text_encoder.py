"""From a prompt to the transformer's context: tokens, the text model's first layers, and a cache of recent prompts.

Letters in shapes: n text tokens, d width of the text model's hidden states, D width of the transformer's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from streamer.lru import LruDict
from streamer.types import Lora

TAPS = (9, 18, 27)
"""The layers whose hidden states the transformer reads, counted from one; no later layer is needed."""
LAYERS = TAPS[-1]


@dataclass(slots=True)
class TextBuffers:
    """The static buffers in which prompts of one text length are encoded."""

    ids: Tensor
    """[1, n] int64: token ids."""
    real: Tensor
    """[1, n] bool: False on padding."""
    context: Tensor
    """[1, n, D] in the model's dtype: the result, already through the context embedder."""
    embedded: Tensor | None = None
    """[1, n, d]: the tokens' vectors, where the embedding's weights stay on the host; else None."""


def blank_text_buffers(
    tokens: int, hidden: int, dtype: torch.dtype, device: torch.device, embedded: int | None = None
) -> TextBuffers:
    """Allocate the buffers of one text length; ``hidden`` is D, and ``embedded`` d where the host embeds."""
    vectors = None if embedded is None else torch.zeros(1, tokens, embedded, dtype=dtype, device=device)
    return TextBuffers(
        embedded=vectors,
        ids=torch.zeros(1, tokens, dtype=torch.int64, device=device),
        real=torch.ones(1, tokens, dtype=torch.bool, device=device),
        context=torch.zeros(1, tokens, hidden, dtype=dtype, device=device),
    )


def tokenize(tokenizer: Any, prompt: str, tokens: int) -> tuple[Tensor, Tensor]:
    """Return the ids [1, n] int64 of one user message in the chat template, and a mask [1, n] bool of real tokens.

    The message is padded, or cut, to ``tokens``.
    """
    chat = _in_chat_template(tokenizer, prompt)
    encoded = tokenizer(chat, return_tensors="pt", padding="max_length", truncation=True, max_length=tokens)
    return encoded["input_ids"], encoded["attention_mask"].bool()


def _in_chat_template(tokenizer: Any, prompt: str) -> str:
    return str(
        tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    )


def prompt_fits(tokenizer: Any, prompt: str, tokens: int) -> bool:
    """Tell whether a prompt in the chat template takes at most so many tokens."""
    # No token is shorter than a byte, and the chat template takes fewer than 40.
    return (
        len(prompt.encode()) + 40 <= tokens
        or len(tokenizer(_in_chat_template(tokenizer, prompt))["input_ids"]) <= tokens
    )


Layers = Callable[[Tensor, tuple[Tensor, Tensor], Tensor, tuple[int, ...]], list[Tensor]]
"""Run the layers of a text model on hidden states [1, n, d]; return the states after each layer named in the taps.

The other arguments are the rotary tables, each [1, n, head size], a mask [n, n] bool that is True where the row's token
attends to the column's, and the taps, counted from one.
"""


def stock_layers(encoder: Any) -> Layers:
    """Run transformers' own layers."""

    def layers(states: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor, taps: tuple[int, ...]) -> list[Tensor]:
        tapped = []
        for index, layer in enumerate(encoder.layers, start=1):
            if index > max(taps):
                break
            states = layer(states, attention_mask=mask[None, None], position_embeddings=rotary)
            if index in taps:
                tapped.append(states)
        return tapped

    return layers


def fused_layers(encoder: Any) -> Layers:
    """Run eight-bit layers on fused kernels; raises ImportError without Triton."""
    from streamer.generator.klein.fused.text_encoder import TextLayers

    fused = TextLayers(encoder)

    def layers(states: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor, taps: tuple[int, ...]) -> list[Tensor]:
        cosines, sines = (table[0].contiguous() for table in rotary)
        return [tapped[None] for tapped in fused(states[0], (cosines, sines), mask, taps)]

    return layers


@torch.inference_mode()
def encode(buffers: TextBuffers, encoder: Any, embed_context: Callable[[Tensor], Tensor], layers: Layers) -> None:
    """Encode ``buffers.ids`` into ``buffers.context``; padding is encoded too, because the transformer reads it."""
    states = embed_tokens(buffers, encoder)
    tapped = layers(states, *rotary_and_mask(buffers, encoder, states), TAPS)
    buffers.context.copy_(embed_context(torch.cat(tapped, dim=-1)))


@torch.inference_mode()
def put_tokens(buffers: TextBuffers, encoder: Any, ids: Tensor, real: Tensor) -> None:
    """Put what ``tokenize`` returned into the buffers, and the tokens' vectors where the host embeds them."""
    buffers.ids.copy_(ids)
    buffers.real.copy_(real)
    if buffers.embedded is not None:
        buffers.embedded.copy_(encoder.embed_tokens(ids))


def embed_tokens(buffers: TextBuffers, encoder: Any) -> Tensor:
    """Return the tokens' vectors, [1, n, d]."""
    if buffers.embedded is not None:
        return buffers.embedded
    states: Tensor = encoder.embed_tokens(buffers.ids)
    return states


def rotary_and_mask(buffers: TextBuffers, encoder: Any, states: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Compute the rotary tables, and the mask [n, n]: a token attends to real tokens that do not come after it."""
    count = buffers.ids.shape[1]
    rotary = encoder.rotary_emb(states, torch.arange(count, device=states.device)[None])
    causal = torch.ones(count, count, dtype=torch.bool, device=states.device).tril()
    return rotary, causal & buffers.real


PromptKey = tuple[str, int, tuple[Lora, ...]]
"""A prompt, how many tokens it is read as, and the LoRAs, which may change the context embedder."""


class PromptCache:
    """Keep the contexts of the prompts used most recently; the same prompt returns often (styles, presets, retries)."""

    def __init__(self, limit: int) -> None:
        self._limit, self._contexts = limit, LruDict[PromptKey, Tensor](limit)

    def get(self, key: PromptKey) -> Tensor | None:
        """Return the context [1, tokens, D] of a prompt, if it is cached."""
        context = self._contexts.get(key)
        if context is not None:
            self._contexts.put(key, context)
        return context

    def put(self, key: PromptKey, context: Tensor) -> None:
        """Cache a copy; drop the prompt that was used longest ago when there are too many."""
        if self._limit > 0:
            self._contexts.put(key, context.clone())

    def clear(self) -> None:
        """Free the memory."""
        self._contexts = LruDict(self._limit)
