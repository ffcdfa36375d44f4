"""The file of the login: private, whole, and clear about what is wrong with it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from streamer.errors import ConfigError, StoreError
from streamer.integrations.twitch.token_file import TokenPair, path_in, read, write

PAIR = TokenPair("client", "access", "renewal", ("a", "b"), "1", "ann")


def test_a_pair_comes_back_as_it_was_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    assert read(path) is None
    write(path, PAIR)
    assert read(path) == PAIR
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["twitch.json"]


def test_a_crash_while_writing_leaves_the_old_pair(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    write(path, PAIR)
    path.with_suffix(".new").write_text('{"client_id": "cli')
    assert read(path) == PAIR


def test_no_token_shows_in_a_repr() -> None:
    assert "access" not in repr(PAIR).replace("access_token", "")
    assert "renewal" not in repr(PAIR)


def test_a_file_that_others_can_read_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    write(path_in(tmp_path), PAIR)
    path_in(tmp_path).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read(path_in(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"client_id": "x"}', '{"scopes": [], "more": 1}'])
def test_a_damaged_file_asks_for_a_new_login(tmp_path: Path, text: str) -> None:
    write(path_in(tmp_path), PAIR)
    path_in(tmp_path).write_text(text)
    with pytest.raises(ConfigError, match="streamer login twitch"):
        read(path_in(tmp_path))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("in the way")
    with pytest.raises(StoreError, match="secrets"):
        write(path_in(tmp_path), PAIR)
