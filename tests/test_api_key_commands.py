"""Keys are made, listed, revoked and accounted for on the command line, and never shown again."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer import api_key_commands, cli
from streamer.api.auth import digest
from streamer.storage.store import Store, StoreOptions
from streamer.storage.tenants import TenantLimits, Usage


def run(environ: dict[str, str], *words: str) -> int:
    chosen = cli.parser().parse_args(words)
    chosen.environ = environ
    return int(chosen.execute(chosen))


def printed(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


def test_a_key_is_shown_once_and_listed_with_what_it_allows(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    limits = ["--per-minute", "5", "--per-month", "0", "--at-once", "1", "--gpu-second-price", "0.002", "--no-gate"]
    assert run(environ, "api-key", "add", "my shop", *limits) == 0
    (key,), (sentence,) = printed(capsys)
    assert key.startswith("sk-")
    assert sentence.endswith(f"at http://127.0.0.1:{environ['STREAMER_PORT']}/v1")
    assert run(environ, "api-key", "add", "studio") == 0
    assert run(environ, "api-key", "add", "studio", "--per-minute", "7") == 0
    capsys.readouterr()
    run(environ, "api-key", "list")
    head, shop, studio = printed(capsys)
    assert head[0] == "tenant"
    assert shop == ["my shop", "1", "5", "any", "1", "0.002 EUR", "no"]
    assert studio == ["studio", "2", "7", "1000", "2", "0 EUR", "yes"]


def test_a_revoked_key_is_gone_and_its_usage_stays(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    run(environ, "api-key", "add", "shop")
    capsys.readouterr()
    run(environ, "api-key", "revoke", "shop")
    run(environ, "api-key", "revoke", "shop")
    assert printed(capsys) == [["1 revoked"], ["0 revoked"]]
    run(environ, "api-key", "list")
    assert printed(capsys)[1][:2] == ["shop", "0"]


async def test_usage_is_reported_in_all_and_by_day(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    async with Store.at(Path(environ["STREAMER_HOME"]), StoreOptions()).opened() as store:
        await store.tenants.add_key(digest("key"), "shop", TenantLimits())
        for day in ("2026-10-01", "2026-11-01", "2026-11-02"):
            await store.tenants.note(Usage("shop", day, 2, 1, 0, 1.5, 0.003))
    await api_key_commands.usage(environ, "2026-11-01", by_day=False)
    assert printed(capsys)[1:] == [["shop", "2026-11-01", "4", "2", "0", "3.00", "0.0060 EUR"]]
    await api_key_commands.usage(environ, "2026-11-01", by_day=True)
    assert [row[1] for row in printed(capsys)[1:]] == ["2026-11-01", "2026-11-02"]


@pytest.mark.parametrize(
    "words", [["add"], ["add", ""], ["add", "x", "--per-minute", "-1"], ["add", "x", "--gpu-second-price", "free"], []]
)
def test_a_wrong_option_is_named(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.parser().parse_args(["api-key", *words])
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err
