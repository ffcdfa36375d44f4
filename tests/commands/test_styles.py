"""A style is its prompt alone, or a prompt with LoRAs, each of them a path alone or with a weight."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from streamer.commands.styles import Style, StyleOptions, loras_of
from streamer.types import Lora

STYLE: TypeAdapter[StyleOptions] = TypeAdapter(Style)


def style(written: object) -> StyleOptions:
    return STYLE.validate_python(written)


def test_a_prompt_alone_is_a_style_without_loras() -> None:
    assert style("{prompt}, noir") == StyleOptions(prompt="{prompt}, noir", lora=())


@pytest.mark.parametrize(
    ("written", "loras"),
    [
        ("someone/ink", (Lora("someone/ink"),)),
        ({"path": "ink.safetensors", "weight": 0.7}, (Lora("ink.safetensors", 0.7),)),
        (["a/b", {"path": "c/d", "weight": -1}], (Lora("a/b"), Lora("c/d", -1.0))),
        ([], ()),
    ],
)
def test_loras_are_written_short_or_long(written: object, loras: tuple[Lora, ...]) -> None:
    named = loras_of(style({"prompt": "{prompt}", "lora": written}).lora, "styles.ink.lora")
    assert named == loras
    assert all(lora.option == "styles.ink.lora" for lora in named)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lora": "a/b"}, {"prompt": "{prompt}", "lora": ""}, {"prompt": "{prompt}", "lora": {"weight": 1}},
        {"prompt": "{prompt}", "lora": {"path": "a/b", "weight": 5}}, {"prompt": "{prompt}", "lora": [3]},
        {"prompt": "{prompt}", "lora": {"path": "a/b", "strength": 1}}, {"prompt": "{prompt}", "loras": "a/b"},
        {"prompt": "{prompt}", "lora": {"path": "a/b", "weight": float("nan")}}, 3, None,
    ],
)  # fmt: skip
def test_what_is_neither_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        style(wrong)
