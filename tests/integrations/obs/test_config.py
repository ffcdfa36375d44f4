"""What config.yaml may say about OBS, and what it may not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from streamer.integrations.obs.config import AfterAction, ObsOptions


def test_without_a_word_it_is_obs_on_this_machine() -> None:
    options = ObsOptions()
    assert (options.host, options.port, options.install, options.program_picture) == ("127.0.0.1", 4455, False, False)


@pytest.mark.parametrize(
    "after", [{}, {"scene": "A", "hotkey": "B"}, {"hotkey": "B", "back_after_s": 3}, {"show": {"source": ""}}]
)
def test_an_action_is_exactly_one_thing(after: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AfterAction.model_validate(after)


def test_the_hotkey_that_ends_obs_is_refused() -> None:
    with pytest.raises(ValidationError, match="use scene: instead"):
        AfterAction.model_validate({"hotkey": "OBSBasic.SelectScene"})
