"""The prompt's way to the transformer: tokens, the encoder's first layers, and a memory of recent prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from streamer.lru import LruDict

TAPS = (9, 18, 27)
"""The hidden states that the transformer reads, counted from the embedding; no later layer is needed."""
LAYERS = TAPS[-1]


@dataclass(slots=True)
class TextBuffers:
    """The fixed memory one text length is encoded in."""

    ids: Tensor
    """[1, tokens] int64."""
    real: Tensor
    """[1, tokens] bool: False on padding."""
    context: Tensor
    """[1, tokens, hidden of the transformer]: the result, through the context embedder."""


def blank_text_buffers(tokens: int, hidden: int, dtype: torch.dtype, device: torch.device) -> TextBuffers:
    """Allocate the memory of one text length."""
    return TextBuffers(
        ids=torch.zeros(1, tokens, dtype=torch.int64, device=device),
        real=torch.ones(1, tokens, dtype=torch.bool, device=device),
        context=torch.zeros(1, tokens, hidden, dtype=dtype, device=device),
    )


def tokenize(tokenizer: Any, prompt: str, tokens: int) -> tuple[Tensor, Tensor]:
    """Give ids and which of them are real, both [1, tokens], for one user message in the chat template."""
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True, enable_thinking=False
    )
    read = tokenizer(chat, return_tensors="pt", padding="max_length", truncation=True, max_length=tokens)
    return read["input_ids"], read["attention_mask"].bool()


Layers = Callable[[Tensor, tuple[Tensor, Tensor], Tensor, tuple[int, ...]], list[Tensor]]
"""Run embedded words [1, n, d] with rotary tables and a mask [n, n]; give the states after the layers counted."""


def stock_layers(encoder: Any) -> Layers:
    """Run transformers' own layers."""

    def layers(states: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor, taps: tuple[int, ...]) -> list[Tensor]:
        kept = []
        for index, layer in enumerate(encoder.layers, start=1):
            if index > max(taps):
                break
            states = layer(states, attention_mask=mask[None, None], position_embeddings=rotary)
            if index in taps:
                kept.append(states)
        return kept

    return layers


def fused_layers(encoder: Any) -> Layers:
    """Run eight-bit layers on fused kernels; importing them needs Triton."""
    from streamer.generator.klein.fused.text_encoder import TextLayers

    fused = TextLayers(encoder)

    def layers(states: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor, taps: tuple[int, ...]) -> list[Tensor]:
        cosines, sines = (table[0].contiguous() for table in rotary)
        return [kept[None] for kept in fused(states[0], (cosines, sines), mask, taps)]

    return layers


@torch.inference_mode()
def encode(words: TextBuffers, encoder: Any, embed_context: Callable[[Tensor], Tensor], layers: Layers) -> None:
    """Run the first layers over words and padding alike: the transformer reads padding too, so it must be right."""
    states = embedded(words, encoder)
    words.context.copy_(embed_context(torch.cat(layers(states, *surroundings(words, encoder, states), TAPS), dim=-1)))


def embedded(words: TextBuffers, encoder: Any) -> Tensor:
    """Give the words' vectors, [1, tokens, hidden of the text model]."""
    states: Tensor = encoder.embed_tokens(words.ids)
    return states


def surroundings(words: TextBuffers, encoder: Any, states: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Give the rotary tables, and which word may see which: real ones, and none that comes later."""
    count = words.ids.shape[1]
    rotary = encoder.rotary_emb(states, torch.arange(count, device=states.device)[None])
    causal = torch.ones(count, count, dtype=torch.bool, device=states.device).tril()
    return rotary, causal & words.real


class PromptCache:
    """Keep the contexts of the prompts used last; the same prompt returns often (styles, presets, retries)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._contexts: LruDict[tuple[str, int], Tensor] = LruDict(limit)

    def recall(self, prompt: str, tokens: int) -> Tensor | None:
        """Give the context of a prompt at a text length, if it is still known."""
        context = self._contexts.get((prompt, tokens))
        if context is not None:
            self._contexts.put((prompt, tokens), context)
        return context

    def keep(self, prompt: str, tokens: int, context: Tensor) -> None:
        """Remember a copy, and forget the prompt used longest ago when there are too many."""
        if self._limit == 0:
            return
        self._contexts.put((prompt, tokens), context.clone())

    def forget(self) -> None:
        """Give the memory back."""
        self._contexts.clear()
