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


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("127.0.0.1", ("127.0.0.1", 4455)),
        ("ws://192.168.1.5:4456", ("192.168.1.5", 4456)),
        (" WS://gaming-pc/ ", ("gaming-pc", 4455)),
        ("[::1]:4444", ("::1", 4444)),
        ("fe80::1", ("fe80::1", 4455)),
        ("[fe80::1]", ("fe80::1", 4455)),
    ],
)
def test_an_address_may_be_pasted_with_its_port(host: str, meant: tuple[str, int]) -> None:
    options = ObsOptions(host=host)
    assert (options.host, options.port) == meant


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"host": "wss://obs"}, "has no TLS"),
        ({"host": "obs:4455", "port": 4456}, "leave one of them out"),
        ({"host": "ws://obs/path"}, "is no name or address; write it like"),
        ({"host": "a b"}, "is no name or address"),
        ({"host": ""}, "is no name or address"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ObsOptions.model_validate(options)
