"""Every program's names are read, and whatever is no plain LoRA is named."""

from __future__ import annotations

import pytest

from streamer.errors import BackendUnavailable
from streamer.generator.lora.keys import LayerKeys, layers_of, some


@pytest.mark.parametrize(
    ("down", "up"),
    [
        (".lora_A.weight", ".lora_B.weight"), (".lora_A.default.weight", ".lora_B.default.weight"),
        (".lora_down.weight", ".lora_up.weight"), (".lora.down.weight", ".lora.up.weight"),
        ("_lora.down.weight", "_lora.up.weight"),
    ],
)  # fmt: skip
def test_both_halves_of_a_layer_are_found(down: str, up: str) -> None:
    """The layer is what stands before either half; its alpha may be there or not."""
    names = [f"a.b{down}", f"a.b{up}", "a.b.alpha", f"c{down}", f"c{up}"]
    assert layers_of(names, "file") == {
        "a.b": LayerKeys(f"a.b{down}", f"a.b{up}", "a.b.alpha"),
        "c": LayerKeys(f"c{down}", f"c{up}", None),
    }


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["a.lora_B.bias"], "has 1 tensors that belong to no layer of a LoRA: a.lora_B.bias"),
        (["b.lora_A.weight"], "b.lora_A.weight"),
        (["b.lora_B.weight"], "b.lora_B.weight"),
        (["b.alpha"], "b.alpha"),
        (["x", "y", "z", "w"], "has 4 tensors that belong to no layer of a LoRA: w, x, y and 1 more"),
        (["a.dora_scale"], "is DoRA, not a plain LoRA: it has a.dora_scale"),
        (["b.lokr_w1"], "is LoKr"),
        (["b.hada_w1_a"], "is LoHa"),
        (["b.diff"], "is full differences"),
    ],
)
def test_nothing_is_ignored(more: list[str], says: str) -> None:
    """A tensor that would have no effect stops the start."""
    with pytest.raises(BackendUnavailable) as raised:
        layers_of(["a.lora_A.weight", "a.lora_B.weight", *more], "file")
    assert raised.value.problem.startswith("file ")
    assert says in raised.value.problem


@pytest.mark.parametrize("names", [[], ["blocks.0.weight"], ["a.alpha"]])
def test_a_file_without_layers_is_no_lora(names: list[str]) -> None:
    """A whole model, for one."""
    with pytest.raises(BackendUnavailable, match="file is not a LoRA: it has"):
        layers_of(names, "file")


def test_few_names_are_listed_in_full() -> None:
    """More than three are counted."""
    assert (some({"b", "a"}), some("edcba"), some([])) == ("a, b", "a, b, c and 2 more", "no tensors")
