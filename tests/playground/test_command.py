"""``streamer playground`` says in one sentence what is missing."""

from __future__ import annotations

import socket

import pytest

from streamer import cli
from streamer.config_checks import checked_config
from streamer.errors import ApiError, ListenError, PluginError
from streamer.paths import place
from streamer.playground import command
from tests.support.real_program import Remote


async def serve(environ: dict[str, str], port: int | None = None) -> None:
    where = place(environ)
    await command.run(where, checked_config(where, environ)[0], environ, port, lambda link: None)


async def test_without_a_running_program_the_error_says_how_to_start_it(environ: dict[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        await serve(environ)
    url = f"http://127.0.0.1:{environ['STREAMER_PORT']}"
    assert str(caught.value) == (
        f"the program at {url} does not run; start it with 'streamer run', and try again"
    )  # fmt: skip


async def test_without_gradio_the_error_names_the_command_that_installs_it(
    environ: dict[str, str], program: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    with pytest.raises(PluginError, match=r"Gradio is not installed; install it with: .*playground"):
        await serve({**environ, "STREAMER_HOME": str(program.home)})


def test_a_port_that_is_taken_is_named_and_without_one_the_next_is_used() -> None:
    with socket.create_server((command.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=str(port)):
            command._listen(port)
    with command._listen(None) as first, command._listen(None) as second:
        assert first.getsockname()[0] == second.getsockname()[0] == "127.0.0.1"
        assert first.getsockname()[1] < second.getsockname()[1]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_what_is_no_port_is_refused_at_once(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["playground", "--port", port])
    assert ended.value.code == 2
    assert "is no port" in capsys.readouterr().err
