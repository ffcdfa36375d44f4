"""Layer options and the check that their page modules exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.errors import ConfigError
from streamer.overlay.layer_options import DEFAULT_LAYERS, LayerOptions, check_layers

WEB = Path(__file__).parents[2] / "web"


def test_the_default_layers_are_drawn_by_modules_that_exist() -> None:
    check_layers(DEFAULT_LAYERS, WEB)


def test_an_unknown_module_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ConfigError, match=r"layers\.sky\.use: there is no layer module 'skybox'; use one of .*popup"):
        check_layers({"sky": LayerOptions(use="skybox")}, WEB)


@pytest.mark.parametrize("use", ["../main", "popup.js", "", "a/b", "Popup"])
def test_a_module_name_cannot_leave_its_folder(use: str) -> None:
    with pytest.raises(ValidationError):
        LayerOptions(use=use)


def test_unknown_keys_are_errors_and_every_field_is_described() -> None:
    with pytest.raises(ValidationError, match="opacity"):
        LayerOptions.model_validate({"use": "popup", "opacity": 1})
    assert all(field.description for field in LayerOptions.model_fields.values())
