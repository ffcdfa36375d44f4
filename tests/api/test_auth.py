"""Tokens: each opens what its role says, files are private, and a lost file is made anew."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from streamer.api.auth import ISSUED_ROLES, TokenRole, TokenTable, bearer, digest, new_token, standing_tokens
from streamer.errors import StoreError


def test_an_operator_may_do_everything_but_pose_as_an_overlay() -> None:
    tokens = TokenTable({TokenRole.OPERATOR: "o", TokenRole.OVERLAY: "v"})
    assert [tokens.opens("o", role) for role in TokenRole] == [False, True, True, True, True, False]
    assert [tokens.opens("v", role) for role in TokenRole] == [True, False, False, False, False, False]


def test_a_metrics_token_opens_the_metrics_alone_and_a_decks_token_does_not() -> None:
    tokens = TokenTable({TokenRole.TRIGGER: "t"})
    tokens.replace_issued({digest("m"): TokenRole.METRICS})
    assert [role for role in TokenRole if tokens.opens("m", role)] == [TokenRole.METRICS]
    assert not tokens.opens("t", TokenRole.METRICS)


def test_a_tenants_key_opens_nothing_that_a_token_opens() -> None:
    tokens = TokenTable({TokenRole.OPERATOR: "o"})
    tokens.replace_issued({digest("sk-k"): TokenRole.TENANT})
    assert [role for role in TokenRole if tokens.opens("sk-k", role)] == [TokenRole.TENANT]
    assert TokenRole.TENANT not in ISSUED_ROLES


def test_an_unknown_token_opens_nothing() -> None:
    tokens = TokenTable({TokenRole.OPERATOR: "o"})
    assert tokens.role("") is None
    assert not any(tokens.opens(guess, role) for guess in ("", "O", "o ") for role in TokenRole)


def test_an_issued_token_is_known_by_its_digest() -> None:
    tokens, token = TokenTable({}), new_token()
    tokens.replace_issued({digest(token): TokenRole.MODERATOR})
    assert tokens.opens(token, TokenRole.TRIGGER)
    assert not tokens.opens(token, TokenRole.OPERATOR)


def test_standing_tokens_are_made_once_and_are_private(tmp_path: Path) -> None:
    first = standing_tokens(tmp_path, {})
    assert standing_tokens(tmp_path, {}) == first
    assert len(set(first.values())) == 3
    for path in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_environment_sets_the_operators_token(tmp_path: Path) -> None:
    assert standing_tokens(tmp_path, {"STREAMER_OPERATOR_TOKEN": "given"})[TokenRole.OPERATOR] == "given"


def test_an_emptied_file_is_made_anew(tmp_path: Path) -> None:
    standing_tokens(tmp_path, {})
    (tmp_path / "secrets" / "overlay").write_text("")
    assert len(standing_tokens(tmp_path, {})[TokenRole.OVERLAY]) > 40


def test_a_home_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    with pytest.raises(StoreError, match="STREAMER_HOME"):
        standing_tokens(tmp_path / "home", {})


def test_a_token_that_is_issued_no_more_opens_nothing_and_the_standing_ones_stay() -> None:
    tokens, token = TokenTable({TokenRole.OPERATOR: "o"}), new_token()
    tokens.replace_issued({digest(token): TokenRole.MODERATOR, digest("o"): TokenRole.TRIGGER})
    assert tokens.role("o") is TokenRole.OPERATOR
    tokens.replace_issued({})
    assert (tokens.role(token), tokens.role("o")) == (None, TokenRole.OPERATOR)


@pytest.mark.parametrize(
    ("header", "token"),
    [(None, ""), ("Bearer op", "op"), ("bearer op", "op"), ("Bearer  op ", "op"), ("Basic op", ""), ("op", "")],
)
def test_the_token_is_taken_from_a_bearer_header_only(header: str | None, token: str) -> None:
    assert bearer({} if header is None else {"authorization": header}) == token
