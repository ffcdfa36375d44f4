"""The commands of the command line, as a streamer types them."""

from __future__ import annotations

import asyncio
import io
import json
import re
from pathlib import Path

import httpx
import pytest
from PIL import Image
from websockets.asyncio.client import connect

from streamer import __version__, cli
from streamer.errors import ConfigError, ListenError
from streamer.integrations.twitch import token_file
from tests.support.real_program import (
    CONFIG,
    OPERATOR,
    Remote,
    client,
    command,
    environment,
    free_port,
    wait_until_ready,
)
from tests.support.twitch_api import TwitchApi


async def test_draw_writes_the_picture_of_a_prompt_and_the_same_seed_gives_it_again(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "a.jpg", tmp_path / "b.jpg"
    assert await cli.draw(environ, "stormy harbour", first, "bg", 7) == 0
    assert await cli.draw(environ, "stormy harbour", second, "bg", 7) == 0
    assert Image.open(io.BytesIO(first.read_bytes())).size == (640, 352)
    assert first.read_bytes() == second.read_bytes()
    assert "seed 7" in capsys.readouterr().out


async def test_tokens_are_made_listed_and_revoked(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    await cli.token_new(environ, "deck", "trigger")
    made = capsys.readouterr().out.splitlines()[0]
    assert len(made) > 40
    await cli.token_list(environ)
    listed = capsys.readouterr().out
    assert "deck\ttrigger" in listed
    assert made not in listed
    await cli.token_revoke(environ, "deck")
    assert capsys.readouterr().out == "1 revoked\n"


async def test_a_token_opens_and_closes_while_the_program_runs(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{environ['STREAMER_PORT']}"
    with command("run", environ=environ, log=tmp_path / "log"):
        await asyncio.to_thread(wait_until_ready, url)
        await cli.token_new(environ, "tom", "moderator")
        token = capsys.readouterr().out.splitlines()[0]
        async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}) as tom:

            async def answered(status: int) -> None:
                async with asyncio.timeout(10):
                    while (await tom.get("/api/v1/status")).status_code != status:
                        await asyncio.sleep(0.05)

            await answered(200)
            async with connect(url.replace("http", "ws") + "/ws/panel") as panel:
                await panel.send(json.dumps({"token": token}))
                await panel.recv()
                await cli.token_revoke(environ, "tom")
                await answered(401)
                async with asyncio.timeout(10):
                    await panel.wait_closed()
                assert panel.close_code == 4401


async def test_an_issued_token_opens_its_routes_and_no_others(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await cli.token_new(environ, "deck", "trigger")
    headers = {"authorization": f"Bearer {capsys.readouterr().out.splitlines()[0]}"}
    url = f"http://127.0.0.1:{environ['STREAMER_PORT']}"
    with command("run", environ=environ, log=tmp_path / "log"):
        wait_until_ready(url)
        async with httpx.AsyncClient(base_url=url, headers=headers) as deck:
            assert (await deck.post("/api/v1/triggers", json={"text": "hi"})).status_code == 200
            assert (await deck.post("/api/v1/panic")).status_code == 403


async def test_the_command_line_ends_nothing_that_the_running_program_has_open(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(environ["STREAMER_CONFIG"]).write_text(CONFIG + "approval: {mode: on}\n", encoding="utf-8")
    url = f"http://127.0.0.1:{environ['STREAMER_PORT']}"
    with command("run", environ=environ, log=tmp_path / "log"):
        await asyncio.to_thread(wait_until_ready, url)
        async with client(url) as speaking:
            remote = Remote(url, tmp_path / "home", tmp_path / "log")
            remote.client = speaking
            held = (await remote.say("!bg lake", role="viewer"))["id"]
            await remote.until(lambda status: status["held"])
            await cli.token_new(environ, "deck", "trigger")
            await cli.token_list(environ)
            await cli.token_revoke(environ, "deck")
            await cli.audit(environ, "1h", tmp_path / "audit.jsonl")
            assert await cli.forget(environ, "somebody") == 0
            assert cli.doctor(environ) == 0
            assert (await speaking.get(f"/api/v1/requests/{held}")).json()["state"] == "held"
            (await speaking.post(f"/api/v1/requests/{held}/approve")).raise_for_status()
            assert (await remote.ended(held))["state"] == "shown"


def test_run_prints_both_links_and_stops_on_ctrl_c(environ: dict[str, str], tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{environ['STREAMER_PORT']}"
    with command("run", environ=environ, log=tmp_path / "log") as process:
        wait_until_ready(url)
    printed = (tmp_path / "log").read_text()
    assert f"{url}/#{OPERATOR}" in printed
    assert re.search(rf"{re.escape(url)}/overlay#\S{{40,}}", printed)
    assert "Generator ready" in printed
    assert "stopped" in printed
    assert "Traceback" not in printed
    assert process.returncode == 0


def test_a_model_that_cannot_be_loaded_is_told_once_and_the_painter_draws(
    environ: dict[str, str], tmp_path: Path
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    generator = f"generator: {{use: klein, backends: {{klein: {{model: {model}}}}}}}\n"
    Path(environ["STREAMER_CONFIG"]).write_text(generator, encoding="utf-8")
    with command("run", environ=environ, log=tmp_path / "log"):
        wait_until_ready(f"http://127.0.0.1:{environ['STREAMER_PORT']}")
    printed = (tmp_path / "log").read_text()
    told = [line for line in printed.splitlines() if f"{model} is not a diffusers model: model_index.json" in line]
    assert [line.partition("the klein")[0].split()[-1] for line in told] == ["ERROR", "fallback"]
    assert re.search(
        r"Generator ready: drawing with the procedural backend(; the klein backend is tried again .*)?\n", printed
    )
    assert "WARNING the klein backend is tried again at " in printed
    assert "Traceback" not in printed


def test_demo_shows_pictures_without_any_account(environ: dict[str, str], tmp_path: Path) -> None:
    chat = tmp_path / "chat.jsonl"
    lines = [{"at": n / 10, "actor": {"id": f"{n}", "name": f"v{n}", "role": "viewer"}, "text": f"!bg lake {n}"}
             for n in range(3)]  # fmt: skip
    chat.write_text("\n".join(json.dumps(line) for line in lines))
    url = f"http://127.0.0.1:{environ['STREAMER_PORT']}"
    headers = {"authorization": f"Bearer {OPERATOR}"}
    with command("demo", "--chat", str(chat), "--speed", "5", environ=environ, log=tmp_path / "log"):
        wait_until_ready(url)
        for _ in range(200):
            states = {row["state"] for row in httpx.get(f"{url}/api/v1/requests", headers=headers).json()}
            if "shown" in states:
                break
    assert "shown" in states


@pytest.mark.parametrize(
    ("config", "code", "says"),
    [
        (CONFIG + "quueue: {}\n", 2, "did you mean 'queue'"),
        (CONFIG + "queue: {limit: x}\n", 2, "queue.limit"),
        ("nonsense", 2, "mapping"),
        (CONFIG + "triggers: [{use: twitch, channel: 'not a name!'}]\n", 2, "channel"),
    ],
)
def test_a_wrong_config_starts_nothing_and_exits_with_2(
    environ: dict[str, str], tmp_path: Path, config: str, code: int, says: str
) -> None:
    Path(environ["STREAMER_CONFIG"]).write_text(config, encoding="utf-8")
    with command("run", environ=environ, log=tmp_path / "log") as process:
        assert process.wait(30) == code
    printed = (tmp_path / "log").read_text()
    assert says in printed
    assert "Traceback" not in printed
    assert "Panel:" not in printed


def test_a_taken_port_is_one_line_and_no_traceback(environ: dict[str, str], tmp_path: Path) -> None:
    with command("run", environ=environ, log=tmp_path / "first"):
        wait_until_ready(f"http://127.0.0.1:{environ['STREAMER_PORT']}")
        elsewhere = environ | {"STREAMER_HOME": str(tmp_path / "another home")}
        with command("run", environ=elsewhere, log=tmp_path / "second") as second:
            assert second.wait(30) == 1
    printed = (tmp_path / "second").read_text()
    assert "streamer is already running there" in printed
    assert "Traceback" not in printed


async def test_a_login_shows_a_link_and_a_code_and_keeps_what_was_confirmed(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    async with TwitchApi() as twitch:
        Path(environ["STREAMER_CONFIG"]).write_text(CONFIG + twitch.config, encoding="utf-8")
        running = asyncio.create_task(cli.login(environ))
        while not twitch.faults.count("POST /oauth2/token"):
            await asyncio.sleep(0.01)
        twitch.grants.approve(twitch.world.broadcaster)
        assert await running == 0
    printed = capsys.readouterr().out
    assert "https://www.twitch.tv/activate?device-code=CODE0001" in printed
    assert "Logged in as harbour" in printed
    kept = token_file.read(token_file.path_in(Path(environ["STREAMER_HOME"])))
    assert kept is not None
    assert kept.access_token not in printed
    assert (kept.login, kept.user_id) == ("harbour", "1000")


def exits(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def fail(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(cli, "run", fail)
    return cli.main(["run"])


def test_every_wrong_key_of_a_group_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = ExceptionGroup("file", [ConfigError("a", "is wrong"), ConfigError("b", "is wrong too")])
    assert exits(monkeypatch, ExceptionGroup("tasks", [inner])) == 2
    assert capsys.readouterr().err == "error: a: is wrong\nerror: b: is wrong too\n"


def test_a_fault_that_is_not_the_configs_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exits(monkeypatch, ListenError("127.0.0.1", 1, "in use")) == 1
    assert exits(monkeypatch, KeyboardInterrupt()) == 130


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        exits(monkeypatch, ZeroDivisionError())
    with pytest.raises(ExceptionGroup):
        exits(monkeypatch, ExceptionGroup("tasks", [ZeroDivisionError()]))


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"streamer {__version__}\n"


@pytest.mark.parametrize(
    "words", [[], ["draw"], ["token", "new", "x"], ["token", "new", "x", "--role", "god"], ["fly"]]
)
def test_wrong_words_are_explained_and_exit_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        cli.main(words)
    assert exited.value.code == 2
    assert "usage: streamer" in capsys.readouterr().err


def test_a_rehearsal_tells_what_would_have_become_of_each_line(
    tmp_path: Path, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = tmp_path / "chat.jsonl"
    line = {"at": 0, "actor": {"id": "1", "name": "ann", "role": "viewer"}, "text": "!bg forbiddenword"}
    chat.write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert cli.rehearse(environment(tmp_path / "home", free_port(), config_file), chat, 0.3, True) == 0
    assert json.loads(capsys.readouterr().out)["rule"] == "words"
