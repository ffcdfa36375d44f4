"""A table of keys has no key twice, and every key types something."""

from __future__ import annotations

import pytest

from streamer.errors import ConfigError
from streamer.triggers._key_table import check_keys


def test_a_table_that_is_right_comes_back_unchanged() -> None:
    keys = {"A": "panic", "b": "!bg castle"}
    assert check_keys(keys, str.lower, "key") is keys


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"A": "panic", "a": "undo"}, "'a' and 'A' are the same key; remove one of them"),
        ({"A": " "}, "'A' does nothing; write a named trigger"),
    ],
)
def test_a_key_that_cannot_work_is_refused_with_the_fix(keys: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_keys(keys, str.lower, "key")
