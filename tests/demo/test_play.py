"""The demo plays in a place of its own: it leaves nothing behind and disturbs no program that runs beside it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
from pathlib import Path

import pytest

from streamer.config import Config, GeneratorConfig, ServerConfig, Use, load
from streamer.demo import play
from streamer.errors import ListenError
from streamer.moderation.approval import ApprovalMode
from streamer.paths import Place
from streamer.storage import instance_lock
from streamer.triggers.replay import read
from tests.support.real_program import (
    CONFIG,
    Remote,
    client,
    command,
    environment,
    free_port,
    wait_until_ready,
)

REACHING = """\
triggers: [{use: twitch, channel: somebody}]
outputs: [{use: archive}]
events: [{event: raid, command: "!bg crowd"}]
when: {online: "!bg start"}
obs: {}
approval: {mode: "on"}
"""


@pytest.fixture
def where(tmp_path: Path) -> Place:
    home = tmp_path / "home"
    return Place(home, tmp_path / "config.yaml", tmp_path, home)


@pytest.fixture
def config(where: Place) -> Config:
    where.config.write_text(CONFIG + REACHING, encoding="utf-8")
    return load(where.config, {})[0]


def test_nothing_of_the_config_that_reaches_others_or_waits_for_somebody_is_left(config: Config) -> None:
    alone = play.demo_config(config, config.server, gpu_taken=False)
    assert (alone.triggers, alone.outputs, alone.events, alone.when, alone.obs) == ((), (), (), {}, None)
    assert alone.approval.mode is ApprovalMode.AUTO
    assert (alone.commands, alone.layers, alone.styles) == (config.commands, config.layers, config.styles)


@pytest.mark.parametrize(
    ("use", "taken", "draws"),
    [("klein", False, "klein"), ("klein", True, "procedural"), ("procedural", True, "procedural")],
)
def test_a_program_that_runs_keeps_the_gpu_to_itself(config: Config, use: str, taken: bool, draws: str) -> None:
    config = config.model_copy(update={"generator": GeneratorConfig(use=use)})
    assert play.demo_config(config, config.server, gpu_taken=taken).generator.use == draws


def test_a_demo_draws_nothing_on_a_server_that_may_cost_money(config: Config) -> None:
    remote = config.model_copy(update={"generator": config.generator.model_copy(update={"use": "openai_images"})})
    assert play.demo_config(remote, remote.server, gpu_taken=False).generator.use == "procedural"


def test_a_program_that_runs_keeps_its_worker_on_another_computer_to_itself(config: Config) -> None:
    slots = (Use.model_validate({"use": "remote", "url": "wss://gpu-pc", "token_file": "gpu-pc"}),)
    config = config.model_copy(update={"generator": GeneratorConfig(use="procedural", slots=slots)})
    assert play.demo_config(config, config.server, gpu_taken=True).generator.slots == ()
    assert play.demo_config(config, config.server, gpu_taken=False).generator.slots == slots


def test_it_has_a_folder_of_its_own_while_it_plays_and_the_users_layouts(
    where: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled: list[int] = []
    monkeypatch.setattr("signal.signal", lambda number, handler: handled.append(number))
    with play.set_apart(where) as apart:
        (apart.home / "secrets").mkdir()
        assert apart.home != where.home
        assert (apart.own, apart.config) == (where.own, where.config)
    assert not apart.home.exists()
    assert handled == [signal.SIGTERM], "a stop before the server runs leaves nothing behind either"


def test_whether_a_program_runs_is_told_by_its_lock(where: Place) -> None:
    assert not play.gpu_taken(where)
    with instance_lock.held(where.home, "http://127.0.0.1:8710", "http://127.0.0.1:8710"):
        assert play.gpu_taken(where)


def test_it_listens_where_the_config_says_or_at_the_next_free_port() -> None:
    options = ServerConfig(port=free_port(), public_url="https://pictures.example")
    listening, address = play.listen(options)
    with listening:
        assert address == options
        listening.listen()
        beside, other = play.listen(options)
        with beside:
            assert other.port == beside.getsockname()[1] > options.port
            assert other.url == f"http://127.0.0.1:{other.port}", "the public address leads to the other program"


def test_no_free_port_is_an_error_that_names_the_one_of_the_config(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(host: str, port: int) -> socket.socket:
        raise ListenError(host, port, "another program answers there")

    monkeypatch.setattr("streamer.server.listen", refuse)
    with pytest.raises(ListenError, match="8710"):
        play.listen(ServerConfig())


def test_it_says_what_is_played_and_how_long() -> None:
    lines = read("demo")
    assert re.fullmatch(
        r"an evening: \d+ chat lines in 13 minutes, then again from the start",
        play.program_note(lines, "an evening", 1),
    )
    assert "in 77 seconds," in play.program_note(lines, "an evening", 10)


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "-wal" not in path.name}


async def test_beside_a_running_program_it_shows_pictures_and_leaves_nothing_behind(tmp_path: Path) -> None:
    port, home, scratch = free_port(), tmp_path / "home", tmp_path / "scratch"
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    chat = tmp_path / "chat.jsonl"
    line = {"at": 0, "actor": {"id": "1", "name": "zoe", "role": "viewer"}, "text": "!bg lake"}
    chat.write_text(json.dumps(line) + "\n" + json.dumps({**line, "at": 600, "text": "bye"}), encoding="utf-8")
    scratch.mkdir()
    environ = environment(home, port, tmp_path / "config.yaml") | {"TMPDIR": str(scratch)}
    url, log = f"http://127.0.0.1:{port}", tmp_path / "demo.log"
    with command("run", environ=environ, log=tmp_path / "log"):
        await asyncio.to_thread(wait_until_ready, url)
        before = files(home)
        with command("demo", "--chat", str(chat), environ=environ, log=log) as process:
            async with asyncio.timeout(60):
                while not (printed := re.search(r"Panel: +(\S+)/#", log.read_text())):
                    await asyncio.sleep(0.05)
            beside = printed.group(1)
            assert beside != url
            async with client(beside) as speaking:
                demo = Remote(beside, home, log)
                demo.client = speaking
                await asyncio.to_thread(wait_until_ready, beside)
                await demo.until(lambda status: status["on_air"]["background"])
            assert list(scratch.glob("streamer-demo-*/streamer.db"))
        assert process.returncode == 0
        async with client(url) as speaking:
            assert (await speaking.get("/api/v1/requests")).json() == []
        assert files(home) == before
    assert list(scratch.glob("streamer-demo-*")) == []
    says = log.read_text()
    assert "2 chat lines in 10 minutes" in says
    assert f"since another program has {port}" in says
    assert "nothing of the demo was kept" in says
    assert "Traceback" not in says
