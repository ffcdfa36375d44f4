"""The command line: one parser, and one function for each command.

Each function imports what it needs, so that --help and a wrong argument are answered at once.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from streamer import __version__
from streamer.api.auth import INCLUDED_ROLES, TokenRole, TokenTable, digest, new_token, standing_tokens
from streamer.errors import ConfigError, StreamerError, leaves
from streamer.interfaces import Generator, Health, HealthState

if TYPE_CHECKING:
    from streamer.app import App
    from streamer.config import Config, Use
    from streamer.config_file import Document
    from streamer.paths import Place
    from streamer.storage.store import Store

    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

CONFIG_EXIT, FAULT_EXIT = 2, 1
OBS_WITHIN_S = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; print each error on one line, and exit with 2 when the config is wrong."""
    chosen = parser().parse_args(arguments)
    level = logging.DEBUG if chosen.verbose else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    for library in ("websockets", "httpx", "httpcore", "filelock"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        return int(chosen.execute(chosen))
    except KeyboardInterrupt:
        return 130
    except (StreamerError, BaseExceptionGroup) as error:
        return _report(error)


def _report(error: BaseException) -> int:
    """Print the errors that were raised on purpose, one line each; anything else is a bug and keeps its traceback."""
    errors = list(leaves(error))
    if not all(isinstance(error, StreamerError) for error in errors):
        raise error
    for leaf in errors:
        print(f"error: {leaf}", file=sys.stderr)
    return CONFIG_EXIT if all(isinstance(error, ConfigError) for error in errors) else FAULT_EXIT


def parser() -> argparse.ArgumentParser:
    """Describe every command."""
    top = argparse.ArgumentParser(prog="streamer", description="Turns chat commands and hotkeys into stream pictures.")
    top.add_argument("--version", action="version", version=f"streamer {__version__}")
    top.add_argument("--verbose", action="store_true", help="log more")
    commands = top.add_subparsers(
        dest="command", required=True,
        metavar="run | demo | draw | doctor | rehearse | audit | forget | login | obs | token | config",
    )  # fmt: skip
    for add in (_add_run, _add_draw, _add_doctor, _add_rehearse, _add_audit, _add_login, _add_obs, _add_token,
                _add_config):  # fmt: skip
        add(commands)
    return top


def _add_run(commands: Parsers) -> None:
    command = commands.add_parser("run", help="start the overlay, the panel and the chat sources")
    command.add_argument("--twitch", metavar="CHANNEL", help="read this Twitch channel too; no login needed")
    command.set_defaults(execute=lambda chosen: asyncio.run(run(os.environ, twitch=chosen.twitch)))
    command = commands.add_parser(
        "demo", help="replay a recorded chat evening, so that the overlay runs without a chat"
    )
    command.add_argument("--speed", type=float, default=1.0, help="2 replays twice as fast (default 1)")
    command.add_argument("--chat", type=Path, help="replay this file of JSON lines instead of the shipped evening")
    command.set_defaults(execute=lambda chosen: asyncio.run(demo(os.environ, chosen.chat, chosen.speed)))


def _add_draw(commands: Parsers) -> None:
    command = commands.add_parser("draw", help="draw one picture to a file with the configured backend")
    command.add_argument("prompt")
    command.add_argument("-o", "--output", type=Path, default=Path("picture.jpg"))
    command.add_argument(
        "--as", dest="word", default="bg", metavar="COMMAND", help="use this command's size and template (default bg)"
    )
    command.add_argument("--seed", type=int, help="seed of an earlier picture, to draw it again")
    command.set_defaults(
        execute=lambda chosen: asyncio.run(draw(os.environ, chosen.prompt, chosen.output, chosen.word, chosen.seed))
    )


def _add_doctor(commands: Parsers) -> None:
    help_text = "show what is installed, which backend would draw and why, and how to fix what is wrong"
    commands.add_parser("doctor", help=help_text).set_defaults(execute=lambda chosen: doctor(os.environ))


def _add_rehearse(commands: Parsers) -> None:
    command = commands.add_parser("rehearse", help="show how a recorded chat would have been handled, without drawing")
    command.add_argument("chat", type=Path, help="a file of JSON lines, as for demo --chat")
    command.add_argument("--json", action="store_true", help="print one JSON object per line instead of a summary")
    command.add_argument("--draw-s", type=float, default=0.3, help="seconds to draw one picture (default 0.3)")
    command.set_defaults(execute=lambda chosen: rehearse(os.environ, chosen.chat, chosen.draw_s, chosen.json))


def _add_audit(commands: Parsers) -> None:
    command = commands.add_parser("audit", help="export who asked for what, every verdict and what was on air when")
    export = command.add_subparsers(dest="action", required=True).add_parser("export", help="as JSON lines")
    export.add_argument("--since", default="30d", help="2h, 7d or 2026-11-01 (default 30d)")
    export.add_argument("-o", "--output", type=Path, default=Path("audit.jsonl"))
    export.set_defaults(execute=lambda chosen: asyncio.run(audit(os.environ, chosen.since, chosen.output)))
    command = commands.add_parser("forget", help="delete everything about one person")
    command.add_argument("user_id")
    command.set_defaults(execute=lambda chosen: asyncio.run(forget(os.environ, chosen.user_id)))


def _add_login(commands: Parsers) -> None:
    command = commands.add_parser("login", help="log in to a platform: shows a link and a code")
    command.add_argument("platform", choices=("twitch",))
    command.set_defaults(execute=lambda chosen: asyncio.run(login(os.environ)))


def _add_obs(commands: Parsers) -> None:
    command = commands.add_parser("obs", help="add the overlay to OBS, and store OBS's password")
    actions = command.add_subparsers(dest="action", required=True)
    install = actions.add_parser("install", help="create or repair the overlay's sources in the OBS that runs now")
    install.add_argument(
        "--scene", action="append", default=[], help="add the sources to this scene; repeat the option for more scenes"
    )
    install.add_argument("--place", action="store_true", help="also move the sources back into place, at full size")
    install.set_defaults(execute=lambda chosen: asyncio.run(obs_install(os.environ, chosen.scene, place=chosen.place)))
    help_text = "store the password of OBS's WebSocket server; asks for it, or reads it from a pipe"
    actions.add_parser("password", help=help_text).set_defaults(execute=lambda chosen: obs_password(os.environ))


def _add_token(commands: Parsers) -> None:
    command = commands.add_parser("token", help="create, list and revoke access tokens")
    actions = command.add_subparsers(dest="action", required=True)
    new = actions.add_parser("new", help="create a token, which is shown only once")
    new.add_argument("name")
    new.add_argument("--role", choices=[role.value for role in TokenRole], required=True)
    new.set_defaults(execute=lambda chosen: asyncio.run(token_new(os.environ, chosen.name, chosen.role)))
    listing = actions.add_parser("list", help="list the tokens you created")
    listing.set_defaults(execute=lambda chosen: asyncio.run(token_list(os.environ)))
    revoke = actions.add_parser("revoke", help="revoke every token with this name")
    revoke.add_argument("name")
    revoke.set_defaults(execute=lambda chosen: asyncio.run(token_revoke(os.environ, chosen.name)))


def _add_config(commands: Parsers) -> None:
    command = commands.add_parser("config", help="help with writing config.yaml")
    actions = command.add_subparsers(dest="action", required=True)
    help_text = "print the JSON schema of config.yaml, for editors"
    actions.add_parser("schema", help=help_text).set_defaults(execute=lambda chosen: config_schema())


def _loaded(environ: Mapping[str, str]) -> tuple[Place, Config, Document]:
    """Find and check the config file."""
    from streamer import config_checks, paths

    where = paths.place(environ)
    return where, *config_checks.checked_config(where, environ)


async def run(environ: Mapping[str, str], *, twitch: str | None = None, extra: tuple[Use, ...] = ()) -> int:
    """Start everything and run until stopped."""
    from streamer import app, server
    from streamer.config import Use

    if twitch is not None:
        extra = (*extra, Use.model_validate({"use": "twitch", "channel": twitch}))
    where, config, document = _loaded(environ)
    with server.listen(config.server.host, config.server.port) as listening:
        built = app.build(config, document, where, environ, extra)
        _print_start(built, where, [use.use for use in (*config.triggers, *extra)])
        await server.serve(built, listening, ProgressPrinter(built.generator).update)
    print("stopped")
    return 0


def _print_start(built: App, where: Place, sources: list[str]) -> None:
    print(f"Config:   {where.config}")
    print(f"State:    {where.home}")
    print(f"Backend:  {built.choice.name} ({built.choice.why})")
    print(f"Sources:  {', '.join(sources) or 'none yet (try: streamer run --twitch YOUR_CHANNEL)'}")
    print(f"Panel:    {built.panel_url}")
    print(f"Overlay:  {built.overlay_url}", flush=True)


class ProgressPrinter:
    """Prints a line whenever the generator's state changes, and what is active once it is ready."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._last = ""

    def update(self, health: Health) -> None:
        """Print the state unless it is the one printed last."""
        line = f"{health.state}: {health.detail}" if health.detail else str(health.state)
        if health.state is HealthState.BUSY or line == self._last:
            return
        print(f"Generator {line}", flush=True)
        self._last = line
        if health.state is HealthState.READY:
            active = ", ".join(f"{part} {value}" for part, value in self._generator.active.items())
            print(f"Active:   {active}", flush=True)


async def demo(environ: Mapping[str, str], chat: Path | None, speed: float) -> int:
    """Run with a recorded chat evening as one more source."""
    from streamer.config import Use

    options = {"use": "replay", "path": str(chat) if chat else "demo", "speed": speed, "loop": True}
    return await run(environ, extra=(Use.model_validate(options),))


async def draw(environ: Mapping[str, str], prompt: str, output: Path, word: str, seed: int | None) -> int:
    """Draw one picture as the running program would, without starting the program."""
    from streamer import app
    from streamer.commands.parser import request_for
    from streamer.generator.backend_choice import choose
    from streamer.generator.supervisor import draw_once

    where, config, document = _loaded(environ)
    request = request_for(app.commands(config, document), config.prefix, word, prompt, seed)
    size, choice = (request.params.width, request.params.height), choose(config.generator.use)
    generator = app.build_generator(config, document, where, choice, sizes=(size,))
    frame, taken_s = await draw_once(generator, request, ProgressPrinter(generator).update)
    await asyncio.to_thread(output.write_bytes, frame.data)
    print(f"{output}: {frame.width}x{frame.height}, seed {request.params.seed}, {taken_s * 1000:.0f} ms")
    return 0


def doctor(environ: Mapping[str, str]) -> int:
    """Print every finding with its fix; return 1 when something prevents the program from running."""
    from streamer.doctor import Mark, examine

    findings = examine(environ)
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print(f"{finding.mark:<4} {finding.subject:<{width}}  {finding.detail}")
        if finding.fix:
            print(f"{'':<4} {'':<{width}}  -> {finding.fix}")
    return FAULT_EXIT if any(finding.mark is Mark.BAD for finding in findings) else 0


def rehearse(environ: Mapping[str, str], chat: Path, draw_s: float, as_lines: bool) -> int:
    """Show how a recorded chat would have been handled."""
    from streamer import app
    from streamer.pipeline.dry_run import DryRun, as_json, summary
    from streamer.triggers import replay

    _, config, document = _loaded(environ)
    outcomes = DryRun(app.dry_run_config(config, document, draw_s)).run(replay.read(str(chat)))
    if as_lines:
        for outcome in outcomes:
            print(json.dumps(as_json(outcome), ensure_ascii=False))
    else:
        print(summary(outcomes))
    return 0


async def audit(environ: Mapping[str, str], since: str, output: Path) -> int:
    """Write who asked for what, every verdict and what was on air when, as JSON lines."""
    from streamer import paths
    from streamer.storage.audit import parse_since, read_audit

    where = paths.place(environ)
    rows = await asyncio.to_thread(read_audit, where.home, parse_since(since, time.time()))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    await asyncio.to_thread(output.write_text, lines, "utf-8")
    print(f"{output}: {len(rows)} lines")
    return 0


async def forget(environ: Mapping[str, str], user_id: str) -> int:
    """Delete everything that is kept about somebody, through the running program if there is one."""
    from streamer import app
    from streamer.api import client
    from streamer.integrations.obs.build import picture_files
    from streamer.storage.privacy import Privacy
    from streamer.storage.store import Store

    where, config, document = _loaded(environ)
    token = standing_tokens(where.home, environ)[TokenRole.OPERATOR]
    count = await client.forget(config.server.url, token, user_id)
    if count is None:
        async with Store.at(where.home, config.store).opened() as store:
            privacy = Privacy(store, config.privacy)
            await privacy.restore()
            count = await privacy.forget_everywhere(user_id, app.keepers(config, document, store))
            await asyncio.to_thread(picture_files(where.home, config.layers).replace_all, {})
    print(f"{count} requests deleted")
    return 0


async def login(environ: Mapping[str, str]) -> int:
    """Log in to Twitch with a code that is confirmed in any browser; ask only for what the config uses."""
    from streamer import app
    from streamer.integrations.twitch.account import Account
    from streamer.integrations.twitch.device_login import poll, request_code

    where, config, document = _loaded(environ)
    account = Account(where.home, config.twitch, scopes := app.twitch_scopes(config, document))
    try:
        code = await request_code(config.twitch, account.http, scopes)
        print(f"Open      {code.url}\nand enter {code.code}")
        asked = ", ".join(f"{scope} ({feature})" for scope, feature in scopes.items()) or "nothing but your name"
        print(f"The login asks for: {asked}")
        print("Waiting ...", flush=True)
        await account.tokens.store(await poll(config.twitch, account.http, scopes, code))
        access = await account.tokens.validate()
    finally:
        await account.close()
    print(f"Logged in as {access.login}. A running program uses it at once.")
    return 0


async def obs_install(environ: Mapping[str, str], scenes: Sequence[str], *, place: bool) -> int:
    """Create or repair the overlay's sources in the OBS that runs now; the program itself need not run."""
    from streamer import app
    from streamer.integrations.obs import build
    from streamer.integrations.obs.config import ObsOptions
    from streamer.integrations.obs.desired_sources import SourceKind

    where, config, _ = _loaded(environ)
    options = config.obs or ObsOptions()
    overlay_url = app.overlay_url_of(config, TokenTable(standing_tokens(where.home, environ)))
    client = build.build_client(options, where.home, environ)
    async with client.running() as events:
        await client.wait_until_ready(events, OBS_WITHIN_S)
        installer = build.build_installer(client, build.OverlayPages(config.layers, overlay_url), where.home)
        report = await installer.install(scenes or options.scenes, place=place)
    notes = [f"Note: {problem}" for problem in report.problems]
    print(*(report.changes or ["Everything is already in place"]), *notes, sep="\n")
    if config.obs is None and report.kind is SourceKind.IMAGE:
        print("Note: pictures reach OBS only while the program is connected to it: add a section obs: to config.yaml")
    return 0


def obs_password(environ: Mapping[str, str]) -> int:
    """Store the password of OBS's WebSocket server where only its owner can read it."""
    from streamer import paths
    from streamer.integrations.obs import password

    where = paths.place(environ)
    given = getpass.getpass("Password (OBS: Tools > WebSocket Server Settings > Show Connect Info): ")
    print(f"Stored in {password.write(where.home, given.strip())}. A running program uses it at once.")
    return 0


def _store(environ: Mapping[str, str]) -> Store:
    from streamer.storage.store import Store

    where, config, _ = _loaded(environ)
    return Store.at(where.home, config.store)


async def token_new(environ: Mapping[str, str], name: str, role: str) -> int:
    """Make an access token and show it, this once."""
    from streamer.storage.store import Store

    where, config, _ = _loaded(environ)
    token, token_role = new_token(), TokenRole(role)
    async with Store.at(where.home, config.store).opened() as store:
        await store.tokens.add(digest(token), token_role, name)
    print(token)
    if TokenRole.MODERATOR in INCLUDED_ROLES[token_role]:
        print(f"Panel: {config.server.url}/#{token}")
    print("This is shown once. A running program accepts it within a second.")
    return 0


async def token_list(environ: Mapping[str, str]) -> int:
    """List the tokens that were made."""
    async with _store(environ).opened() as store:
        for issued in await store.tokens.all():
            made_on = time.strftime("%Y-%m-%d %H:%M", time.localtime(issued.created_at))
            print(f"{issued.name}\t{issued.role}\t{made_on}")
    return 0


async def token_revoke(environ: Mapping[str, str], name: str) -> int:
    """Revoke every token of a name."""
    async with _store(environ).opened() as store:
        print(f"{await store.tokens.delete(name)} revoked")
    return 0


def config_schema() -> int:
    """Print the JSON schema of config.yaml."""
    from streamer.config import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
