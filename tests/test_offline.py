"""What the running program does, done without it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from streamer import app, cli, config_checks, offline, paths
from streamer.errors import ApiError, BackendError, ConfigError
from streamer.interfaces import Health, HealthState
from tests.support.embedded import place
from tests.support.real_program import Remote, environment, free_port


def test_a_command_that_draws_nothing_is_refused(tmp_path: Path) -> None:
    config, document = config_checks.checked_config(place(tmp_path), {})
    commands = app.commands(config, document)
    with pytest.raises(ConfigError, match="no command 'clear' draws a picture"):
        offline.request_of(commands, config, "clear", "harbour", None)
    assert offline.request_of(commands, config, "bg", "harbour", 7).params.seed == 7


class Broken:
    """A generator that has given up."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    def health(self) -> Health:
        return Health("generator", HealthState.FAILED, "no backend works")


async def test_a_backend_that_never_gets_ready_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "build_generator", lambda *_, **__: Broken())
    where = place(tmp_path)
    config, document = config_checks.checked_config(where, {})
    request = offline.request_of(app.commands(config, document), config, "bg", "harbour", 7)
    seen: list[Health] = []
    with pytest.raises(BackendError, match="no backend works"):
        await offline.draw(config, document, where, request, lambda _: seen.append)
    assert [health.state for health in seen] == [HealthState.FAILED]


async def test_somebody_unknown_is_forgotten_without_a_running_program(tmp_path: Path, config_file: Path) -> None:
    environ = environment(tmp_path / "home", free_port(), config_file)
    where = paths.place(environ)
    config, document = config_checks.checked_config(where, environ)
    assert await offline.forget_in_running_program(config, where, environ, "1") is None
    assert await offline.forget(config, document, where, "1") == 0


async def test_another_program_at_the_address_is_named(served: Remote, tmp_path: Path, config_file: Path) -> None:
    environ = environment(tmp_path / "home", int(served.url.rpartition(":")[2]), config_file)
    stranger = {**environ, "STREAMER_OPERATOR_TOKEN": "not the token of that program"}
    where = paths.place(stranger)
    config, _ = config_checks.checked_config(where, stranger)
    with pytest.raises(ApiError, match="answers 401; stop it, or set STREAMER_OPERATOR_TOKEN"):
        await offline.forget_in_running_program(config, where, stranger, "1")


def test_a_rehearsal_tells_what_would_have_become_of_each_line(
    tmp_path: Path, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = tmp_path / "chat.jsonl"
    line = {"at": 0, "actor": {"id": "1", "name": "ann", "role": "viewer"}, "text": "!bg forbiddenword"}
    chat.write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert cli.rehearse(environment(tmp_path / "home", free_port(), config_file), chat, 0.3, True) == 0
    assert json.loads(capsys.readouterr().out)["rule"] == "words"
