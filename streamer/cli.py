"""The command line: one parser, and one function for each command.

Each function imports what it needs, so that --help and a wrong argument are answered at once.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import math
import os
import sys
import time
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer import __version__, logs, standard_streams
from streamer.api.auth import INCLUDED_ROLES, ISSUED_ROLES, TokenRole, TokenTable, digest, new_token, standing_tokens
from streamer.errors import AlreadyRunning, ConfigError, SeveralPeople, StoreError, StreamerError, leaves
from streamer.interfaces import Health, HealthState

if TYPE_CHECKING:
    from streamer.api.client import ForgetAnswer
    from streamer.app import App
    from streamer.config import Config
    from streamer.config_file import Document
    from streamer.generator.pool import Pool
    from streamer.paths import Place
    from streamer.storage.store import Store
    from streamer.storage.tenants import TenantLimits

    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

CONFIG_EXIT, FAULT_EXIT, INTERRUPT_EXIT = 2, 1, 130
PIPE_EXIT = 141
"""What a shell reports for a program that a closed pipe ended."""
LARGEST_SEED = 2**63 - 1
LARGEST_LIMIT = 10**9
UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of control characters, of bytes that are no text, and of line breaks."""
_CONFIG_OPTION: Mapping[str, Any] = {"metavar": "FILE", "type": Path, "help": "your config.yaml, if it is elsewhere"}
OBS_WITHIN_S = 5.0
WORKER_ADDRESS = ("127.0.0.1", 8711)
LARGEST_PORT = 65_535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; print each error on one line, and exit with 2 when the config is wrong."""
    standard_streams.prepare()
    chosen = parser().parse_args(arguments)
    chosen.environ = {**os.environ, "STREAMER_CONFIG": str(chosen.config)} if chosen.config else os.environ
    logs.set_up(logs.LogFormat(chosen.log_format), verbose=chosen.verbose)
    try:
        return int(chosen.execute(chosen))
    except KeyboardInterrupt:
        return INTERRUPT_EXIT
    except BrokenPipeError:
        return _reader_gone()
    except (StreamerError, BaseExceptionGroup) as error:
        return _report(error)


def _reader_gone() -> int:
    """End quietly when whoever reads the output has seen enough, as in ``streamer audit export | head``."""
    standard_streams.silence()  # or Python complains when it flushes the rest
    return PIPE_EXIT


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
    top.add_argument(
        "--log-format",
        choices=[layout.value for layout in logs.LogFormat],
        default=logs.LogFormat.TEXT.value,
        help="json: one line of JSON for each log line, and one for each request that ends",
    )
    top.add_argument("--config", **_CONFIG_OPTION, default=None)
    commands = top.add_subparsers(
        dest="command", required=True,
        metavar="init | run | worker | demo | links | draw | playground | models | bench | doctor | rehearse | audit "
        "| forget | backup | restore | login | obs | token | api-key | config",
    )  # fmt: skip
    for add in (_add_run, _add_draw, _add_playground, _add_doctor, _add_bench, _add_rehearse, _add_audit, _add_backup,
                _add_login, _add_obs, _add_token, _add_api_key, _add_config):  # fmt: skip
        add(commands)
    _accept_config_option(commands)
    return top


def _accept_config_option(commands: Parsers) -> None:
    """Let --config stand behind the command as well as before it."""
    for command in commands.choices.values():
        command.add_argument("--config", **_CONFIG_OPTION, default=argparse.SUPPRESS)
        for action in command._actions:
            if isinstance(action, argparse._SubParsersAction):
                _accept_config_option(action)


def _text(value: str) -> str:
    """Accept a text of one line with something in it."""
    text = _decoded(value)
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty")
    if any(unicodedata.category(char) in UNPRINTABLE for char in text):
        raise argparse.ArgumentTypeError(f"{text!r} has control characters or bytes that are no text; write one line")
    return text


def _decoded(value: str) -> str:
    """Return an argument as it was typed: in the locale C, Python leaves the bytes of other letters undecoded."""
    try:
        return os.fsencode(value).decode("utf-8")
    except UnicodeError:
        return value


def _positive(value: str) -> float:
    """Accept a number above 0."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number above 0")
    return number


def _port(value: str) -> int:
    """Accept a port."""
    if not value.isdecimal() or not 0 < int(value) < 2**16:
        raise argparse.ArgumentTypeError(f"{value!r} is no port; write a number from 1 to 65535")
    return int(value)


def _seed(value: str) -> int:
    """Accept what the seed of an earlier picture can be."""
    if not value.isdecimal() or int(value) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{value!r} is no seed; write a whole number from 0 to {LARGEST_SEED}")
    return int(value)


def _number(value: str) -> int:
    """Accept a whole number."""
    if not value.isdecimal() or int(value) > LARGEST_LIMIT:
        raise argparse.ArgumentTypeError(f"{value!r} is no whole number from 0 to {LARGEST_LIMIT:,}")
    return int(value)


def _price(value: str) -> float:
    """Accept a price of 0 or more."""
    return 0.0 if value == "0" else _positive(value)


def _listening(value: str) -> tuple[str, int]:
    """Accept a port, or an address and a port; an address of IPv6 stands in brackets."""
    host, _, port = value.rpartition(":")
    if not port.isdecimal() or int(port) > LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{value!r} is no address; write a port, or address:port like 0.0.0.0:8711")
    return host.strip("[]") or WORKER_ADDRESS[0], int(port)


def _picture_file(value: str) -> Path:
    """Accept the name of a picture in a format that can be written."""
    from streamer.generator.render.encode import FORMATS

    path = Path(value)
    if path.suffix.lower() not in FORMATS:
        raise argparse.ArgumentTypeError(f"{value!r} must end in one of {', '.join(FORMATS)}")
    return path


def _check_writable(path: Path) -> None:
    """Raise ConfigError when a file cannot be written, before the work is done whose result it is to hold."""
    fix = "name a file in a folder that you may write"
    if path.is_dir():
        raise ConfigError("--output", f"{path} is a folder", fix=fix)
    if not path.parent.is_dir():
        raise ConfigError("--output", f"there is no folder {path.parent}", fix=fix)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError("--output", f"{path} cannot be written", fix=fix)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ConfigError("--output", f"{path}: {error.strerror}", fix="name a file on another disk") from error


def _add_run(commands: Parsers) -> None:
    command = commands.add_parser("run", help="start the overlay, the panel and the chat sources")
    command.add_argument(
        "--twitch", metavar="CHANNEL", type=_decoded, help="read this Twitch channel too; no login needed"
    )
    command.add_argument("--no-browser", action="store_true", help="do not open the panel at the very first start")
    command.set_defaults(
        execute=lambda chosen: asyncio.run(run(chosen.environ, twitch=chosen.twitch, browser=not chosen.no_browser))
    )
    command = commands.add_parser("worker", help="lend this computer's GPU to the program on another one")
    command.add_argument(
        "--listen",
        type=_listening,
        default=WORKER_ADDRESS,
        metavar="[ADDRESS:]PORT",
        help="where to listen (default 127.0.0.1:8711, which a tunnel reaches)",
    )
    command.add_argument("--cert", type=Path, help="certificate chain in PEM format, for wss://")
    command.add_argument("--key", type=Path, help="private key of the certificate")
    command.add_argument(
        "--trust-network",
        action="store_true",
        help="listen for other computers without a certificate: only inside a VPN, or where nobody else is",
    )
    command.set_defaults(
        execute=lambda chosen: asyncio.run(
            worker(chosen.environ, chosen.listen, chosen.cert, chosen.key, trusted=chosen.trust_network)
        )
    )
    command = commands.add_parser(
        "demo", help="play a recorded chat evening on an overlay of its own; nothing of it is kept"
    )
    command.add_argument("--speed", type=_positive, default=1.0, help="2 replays twice as fast (default 1)")
    command.add_argument("--chat", type=Path, help="replay this file of JSON lines instead of the shipped evening")
    command.set_defaults(execute=lambda chosen: asyncio.run(demo(chosen.environ, chosen.chat, chosen.speed)))
    command = commands.add_parser("links", help="print the links of the panel and the overlay again")
    command.set_defaults(execute=lambda chosen: asyncio.run(links(chosen.environ)))


def _add_draw(commands: Parsers) -> None:
    command = commands.add_parser("draw", help="draw one picture to a file with the configured backend")
    command.add_argument("prompt", type=_text)
    command.add_argument(
        "-o",
        "--output",
        type=_picture_file,
        default=Path("picture.jpg"),
        help=".jpg, .png or .webp (default picture.jpg)",
    )
    command.add_argument(
        "--as",
        dest="word",
        type=_text,
        default="bg",
        metavar="COMMAND",
        help="use this command's size and template (default bg)",
    )
    command.add_argument("--seed", type=_seed, help="seed of an earlier picture, to draw it again")
    command.set_defaults(
        execute=lambda chosen: asyncio.run(draw(chosen.environ, chosen.prompt, chosen.output, chosen.word, chosen.seed))
    )


def _add_playground(commands: Parsers) -> None:
    command = commands.add_parser("playground", help="try prompts and settings out on a page, with the running program")
    command.add_argument("--port", type=_port, help="port of the page (default: the first free one from 8720 on)")
    command.add_argument("--no-browser", action="store_true", help="do not open the page in the browser")
    command.set_defaults(
        execute=lambda chosen: asyncio.run(playground(chosen.environ, chosen.port, browser=not chosen.no_browser))
    )


def _add_doctor(commands: Parsers) -> None:
    help_text = "show what is installed, which backend would draw and why, and how to fix what is wrong"
    commands.add_parser("doctor", help=help_text).set_defaults(execute=lambda chosen: doctor(chosen.environ))
    help_text = "list the models that one word selects: licence, memory, and whether they fit here"
    commands.add_parser("models", help=help_text).set_defaults(execute=lambda chosen: models(chosen.environ))


def _add_bench(commands: Parsers) -> None:
    from streamer.generator.benchmark.arguments import add_arguments

    command = commands.add_parser("bench", help="measure how fast models draw on this machine, beside what is possible")
    add_arguments(command)
    command.set_defaults(execute=lambda chosen: bench(chosen.environ, chosen))


def _add_rehearse(commands: Parsers) -> None:
    command = commands.add_parser("rehearse", help="show how a recorded chat would have been handled, without drawing")
    command.add_argument("chat", type=Path, help="a file of JSON lines, as for demo --chat")
    command.add_argument("--json", action="store_true", help="print one JSON object per line instead of a summary")
    command.add_argument("--draw-s", type=_positive, default=0.3, help="seconds to draw one picture (default 0.3)")
    command.set_defaults(execute=lambda chosen: rehearse(chosen.environ, chosen.chat, chosen.draw_s, chosen.json))


def _add_audit(commands: Parsers) -> None:
    command = commands.add_parser("audit", help="export who asked for what, every verdict and what was on air when")
    export = command.add_subparsers(dest="action", required=True).add_parser("export", help="as JSON lines")
    export.add_argument("--since", default="30d", help="2h, 7d or 2026-11-01 (default 30d)")
    export.add_argument("-o", "--output", type=Path, default=Path("audit.jsonl"))
    export.set_defaults(execute=lambda chosen: asyncio.run(audit(chosen.environ, chosen.since, chosen.output)))
    command = commands.add_parser("forget", help="delete everything about one person")
    command.add_argument("who", type=_text, help="user id, login or shown name")
    command.set_defaults(execute=lambda chosen: asyncio.run(forget(chosen.environ, chosen.who)))


def _add_backup(commands: Parsers) -> None:
    command = commands.add_parser("backup", help="copy the database to a file; the program may run meanwhile")
    command.add_argument("file", type=Path, nargs="?", help="default: streamer-backup-DATE-TIME.db in this folder")
    command.set_defaults(execute=lambda chosen: backup(chosen.environ, chosen.file))
    command = commands.add_parser("restore", help="put a copy of the database back; the program must not run meanwhile")
    command.add_argument("file", type=Path, nargs="?", help="a file of 'streamer backup' (default: newest daily copy)")
    command.set_defaults(execute=lambda chosen: asyncio.run(restore(chosen.environ, chosen.file)))


def _add_login(commands: Parsers) -> None:
    command = commands.add_parser("login", help="log in to a platform: shows a link and a code")
    command.add_argument("platform", choices=("twitch",))
    command.set_defaults(execute=lambda chosen: asyncio.run(login(chosen.environ)))


def _add_obs(commands: Parsers) -> None:
    command = commands.add_parser("obs", help="add the overlay to OBS, and store OBS's password")
    actions = command.add_subparsers(dest="action", required=True)
    install = actions.add_parser("install", help="create or repair the overlay's sources in the OBS that runs now")
    install.add_argument(
        "--scene",
        action="append",
        type=_text,
        default=[],
        help="add the sources to this scene; repeat the option for more scenes",
    )
    install.add_argument("--place", action="store_true", help="also move the sources back into place, at full size")
    install.set_defaults(
        execute=lambda chosen: asyncio.run(obs_install(chosen.environ, chosen.scene, place=chosen.place))
    )
    help_text = "store the password of OBS's WebSocket server; asks for it, or reads it from a pipe"
    actions.add_parser("password", help=help_text).set_defaults(execute=lambda chosen: obs_password(chosen.environ))


def _add_token(commands: Parsers) -> None:
    command = commands.add_parser("token", help="create, list and revoke access tokens")
    actions = command.add_subparsers(dest="action", required=True)
    new = actions.add_parser("new", help="create a token, which is shown only once")
    new.add_argument("name", type=_text)
    new.add_argument("--role", choices=[role.value for role in ISSUED_ROLES], required=True)
    new.set_defaults(execute=lambda chosen: asyncio.run(token_new(chosen.environ, chosen.name, chosen.role)))
    listing = actions.add_parser("list", help="list the tokens you created")
    listing.set_defaults(execute=lambda chosen: asyncio.run(token_list(chosen.environ)))
    revoke = actions.add_parser("revoke", help="revoke every token with this name")
    revoke.add_argument("name", type=_text)
    revoke.set_defaults(execute=lambda chosen: asyncio.run(token_revoke(chosen.environ, chosen.name)))


def _add_api_key(commands: Parsers) -> None:
    from streamer import api_key_commands

    command = commands.add_parser("api-key", help="let programs draw by key, at /v1, and report what they used")
    actions = command.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="create a key, which is shown only once; a tenant may have several")
    add.add_argument("name", type=_text, help="the tenant: a program or a customer")
    for option, help_text in {
        "--per-minute": "pictures within a minute",
        "--per-month": "pictures in a calendar month; 0: any number",
        "--at-once": "requests that may wait or be drawn at the same time",
    }.items():
        add.add_argument(
            option, type=_number, metavar="NUMBER", help=f"{help_text} (default: picture_api in the config)"
        )
    add.add_argument("--gpu-second-price", type=_price, metavar="PRICE", help="what one second of drawing costs")
    add.add_argument("--gate", action=argparse.BooleanOptionalAction, help="whether rules and judges decide")
    add.set_defaults(
        execute=lambda chosen: asyncio.run(api_key_commands.add(chosen.environ, chosen.name, _limits(chosen)))
    )
    listing = actions.add_parser("list", help="list the tenants and what they may do")
    listing.set_defaults(execute=lambda chosen: asyncio.run(api_key_commands.list_all(chosen.environ)))
    report = actions.add_parser("usage", help="report pictures, GPU seconds and cost of each tenant")
    report.add_argument("--since", default="30d", help="7d or 2026-11-01 (default 30d); whole days, in UTC")
    report.add_argument("--by-day", action="store_true", help="one line for each day")
    report.set_defaults(
        execute=lambda chosen: asyncio.run(api_key_commands.usage(chosen.environ, chosen.since, by_day=chosen.by_day))
    )
    revoke = actions.add_parser("revoke", help="revoke every key of a tenant")
    revoke.add_argument("name", type=_text)
    revoke.set_defaults(execute=lambda chosen: asyncio.run(api_key_commands.revoke(chosen.environ, chosen.name)))


def _limits(chosen: argparse.Namespace) -> TenantLimits:
    from streamer.storage.tenants import TenantLimits

    return TenantLimits(chosen.per_minute, chosen.per_month, chosen.at_once, chosen.gpu_second_price, chosen.gate)


def _add_config(commands: Parsers) -> None:
    from streamer import config_commands

    help_text = "write a short config.yaml for your own settings, and say where it is"
    commands.add_parser("init", help=help_text).set_defaults(
        execute=lambda chosen: config_commands.init(chosen.environ)
    )
    command = commands.add_parser("config", help="help with writing config.yaml")
    actions = command.add_subparsers(dest="action", required=True)
    help_text = "print what applies: your file over the shipped one, and where each value comes from"
    actions.add_parser("show", help=help_text).set_defaults(execute=lambda chosen: config_commands.show(chosen.environ))
    help_text = "print the JSON schema of config.yaml, for editors"
    actions.add_parser("schema", help=help_text).set_defaults(execute=lambda chosen: config_commands.schema())


def _loaded(environ: Mapping[str, str]) -> tuple[Place, Config, Document]:
    """Find and check the config file."""
    from streamer import config_checks, paths

    where = paths.place(environ)
    return where, *config_checks.checked_config(where, environ)


async def run(environ: Mapping[str, str], *, twitch: str | None = None, browser: bool = True) -> int:
    """Start everything and run until stopped; the very first start may open the panel in a browser."""
    from streamer import app, paths, server
    from streamer.config import Use
    from streamer.storage import instance_lock
    from streamer.storage.database import FILE_NAME

    extra = () if twitch is None else (Use.model_validate({"use": "twitch", "channel": twitch}),)
    where, config, document = _loaded(environ)
    with (
        instance_lock.held(where.home, config.server.url, config.server.local_url),
        server.listen(config.server.host, config.server.port, paths.file_to_edit(where)) as listening,
    ):
        opens = browser and config.server.open_browser and not (where.home / FILE_NAME).exists()
        built = app.build(config, document, where, environ, extra)
        _print_start(built, where, [use.use for use in (*config.triggers, *extra)])
        opening = partial(_open_panel, built.panel_url, environ, wanted=opens)
        await server.serve(built, listening, ProgressPrinter(built.generator).update, opening)
    say("stopped")
    return 0


async def worker(
    environ: Mapping[str, str], address: tuple[str, int], cert: Path | None, key: Path | None, *, trusted: bool
) -> int:
    """Draw for the program on another computer until stopped."""
    from streamer import worker_command

    where, config, document = _loaded(environ)
    listening = worker_command.Listening(*address, cert, key, trusted)
    await worker_command.run(listening, where, config, document, say)
    say("stopped")
    return 0


def _open_panel(url: str, environ: Mapping[str, str], *, wanted: bool) -> None:
    """Open the panel if somebody would see it."""
    if _opens(environ, wanted=wanted):
        say("Browser:  opens the panel, at the first start only ('streamer links' prints the links again)")
        _show_in_browser(url)


def _opens(environ: Mapping[str, str], *, wanted: bool) -> bool:
    """Tell whether a page is to be opened: if it is wanted, and somebody would see it."""
    from streamer.integrations import web_browser

    interactive = wanted and sys.stdin.isatty() and sys.stdout.isatty()
    return web_browser.somebody_watches(environ, interactive=interactive) and web_browser.available(environ)


def _show_in_browser(url: str) -> None:
    """Open a page without waiting for the browser."""
    from streamer.integrations import web_browser

    asyncio.get_running_loop().run_in_executor(None, web_browser.show, url)


def _print_start(built: App, where: Place, sources: list[str]) -> None:
    say(f"Config:   {_settings(where)}")
    say(f"State:    {where.home}")
    _print_slots(built)
    say(f"Sources:  {', '.join(sources) or 'none yet (try: streamer run --twitch YOUR_CHANNEL)'}")
    for health in [part.health() for part in built.channel.show.reporting]:
        if health.name in sources and health.state is HealthState.OFF:
            say(f"          {health.name} is off: {health.detail}")
    say(f"Panel:    {built.panel_url}")
    say(f"Overlay:  {built.overlay_url}")


def _print_slots(built: App) -> None:
    """Name the backend, unless nothing draws on this computer, and every slot if there is more than that."""
    places = [slot.place for slot in built.generator.slots]
    if any(place.here for place in places):
        say(f"Backend:  {built.choice.name} ({built.choice.why})")
    if len(places) > 1 or not places[0].here:
        say(f"Slots:    {', '.join(place.name + ' (standby)' * place.standby for place in places)}")


def say(line: str) -> None:
    """Print a line of the running program, which goes on when nobody reads it any more."""
    with suppress(OSError):
        print(line, flush=True)


def _settings(where: Place) -> str:
    """Name the user's file, or say how to get one."""
    return str(where.config) if where.config.exists() else "as shipped (for your own settings: streamer init)"


class ProgressPrinter:
    """Prints a line whenever the generator's state changes, and what is active once it is ready."""

    def __init__(self, generator: Pool) -> None:
        self._generator = generator
        self._last = ""

    def update(self, health: Health) -> None:
        """Print the state unless it is the one printed last; why another backend draws is in the log already."""
        detail = health.detail.removesuffix(f"; {self._generator.active.get('fallback')}")
        line = f"{health.state}: {detail}" if detail else str(health.state)
        if health.state is HealthState.BUSY or line == self._last:
            return
        say(f"Generator {line}")
        self._last = line
        if health.state is HealthState.READY:
            active = ", ".join(f"{part} {value}" for part, value in self._generator.active.items())
            say(f"Active:   {active}")


async def demo(environ: Mapping[str, str], chat: Path | None, speed: float) -> int:
    """Play a recorded chat evening in a state folder of its own, and leave nothing behind."""
    from streamer import app, server
    from streamer.demo import play
    from streamer.triggers import replay

    (where, config, document), path = _loaded(environ), str(chat) if chat else "demo"
    plays = play.program_note(replay.read(path), str(chat) if chat else "a recorded evening", speed)
    wanted = config.server.port
    listening, address = play.listen(config.server)
    with listening, play.set_apart(where) as apart:
        config = play.demo_config(config, address, gpu_taken=play.gpu_taken(where))
        built = app.build(config, document, apart, environ, (play.source(path, speed),))
        say(f"Demo:     {plays}")
        if address.port != wanted:
            say(f"Port:     {address.port}, since another program has {wanted}")
        say("State:    a temporary folder; your database, overlay, OBS and chat are not touched")
        say(f"Backend:  {built.choice.name} ({built.choice.why})")
        say(f"Panel:    {built.panel_url}")
        say(f"Overlay:  {built.overlay_url}")
        say("Open the overlay link in a browser, or as a browser source in OBS. Ctrl-C ends the demo.")
        await server.serve(built, listening, ProgressPrinter(built.generator).update)
    say("stopped; nothing of the demo was kept")
    return 0


async def links(environ: Mapping[str, str]) -> int:
    """Print the links of the running program, or those that the next start will use."""
    from streamer import app
    from streamer.api import client
    from streamer.storage import instance_lock
    from streamer.storage.database import FILE_NAME

    where, config, _ = _loaded(environ)
    url, tokens = _address(where, config), standing_tokens(where.home, environ)
    print(f"Overlay:  {app.overlay_url_of(url, TokenTable(tokens))}")
    running = instance_lock.running_program(where.home)
    if running is not None:
        # It may have been started with another operator's token than this command.
        await client.check_token(running.local_url, tokens[TokenRole.OPERATOR])
    print(f"Panel:    {app.panel_url_of(url, tokens[TokenRole.OPERATOR])}")
    if (where.home / FILE_NAME).exists():
        await _print_moderators(environ)
    print("Keep them off stream: they contain tokens.")
    if running is None:
        print("The program does not run now; 'streamer run' starts it.")
    return 0


async def _print_moderators(environ: Mapping[str, str]) -> None:
    """Name who has a moderator's link; the links themselves are stored nowhere."""
    async with _store(environ).opened() as store:
        names = [token.name for token in await store.tokens.all() if token.role == TokenRole.MODERATOR]
    if names:
        print(f"Moderators with a link of their own, which was shown once: {', '.join(names)}")
    print("A link for a moderator: 'streamer token new NAME --role moderator'")


def _address(where: Place, config: Config) -> str:
    """Return the address of the program that runs on the state folder, else of the one that the config describes."""
    from streamer.storage import instance_lock

    running = instance_lock.running_program(where.home)
    return running.url if running is not None and running.url else config.server.url


async def playground(environ: Mapping[str, str], port: int | None, *, browser: bool) -> int:
    """Serve a page for trying prompts and settings out with the running program, until stopped."""
    from streamer.playground import command

    def announce(link: str) -> None:
        say(f"Playground: {link}")
        say("The link is a secret. Pictures stay there until you put one on air. Ctrl-C ends the playground.")
        if _opens(environ, wanted=browser):
            _show_in_browser(link)

    where, config, _ = _loaded(environ)
    return await command.run(where, config, environ, port, announce)


async def draw(environ: Mapping[str, str], prompt: str, output: Path, word: str, seed: int | None) -> int:
    """Draw one picture as the running program would, without starting the program."""
    from streamer import app
    from streamer.commands.parser import request_for
    from streamer.generator.backend_choice import choose
    from streamer.generator.pool_channel import draw_once
    from streamer.generator.render.encode import FORMATS, converted

    _check_writable(output)
    where, config, document = _loaded(environ)
    request = request_for(app.commands(config, document), config.prefix, word, prompt, seed)
    size, choice = (request.params.width, request.params.height), choose(config.generator.use)
    _refuse_second_model(choice.name, where, elsewhere=bool(config.generator.slots))
    generator = app.build_generator(config, document, where, choice, sizes=(size,))
    frame, taken_s = await draw_once(generator, request, ProgressPrinter(generator).update)
    await asyncio.to_thread(_write, output, converted(frame.data, FORMATS[output.suffix.lower()]))
    print(f"{output}: {frame.width}x{frame.height}, seed {request.params.seed}, {taken_s * 1000:.0f} ms")
    return 0


def _refuse_second_model(backend: str, where: Place, *, elsewhere: bool = False) -> None:
    """Raise AlreadyRunning while the program runs: a model would take the show's memory, and a worker draws for one."""
    from streamer.storage import instance_lock

    takes_memory = backend not in ("procedural", "openai_images")
    if (elsewhere or takes_memory) and (running := instance_lock.running_program(where.home)) is not None:
        raise AlreadyRunning(str(where.home), running.pid, running.url)


def models(environ: Mapping[str, str]) -> int:
    """Print the table of models for this machine."""
    from streamer import paths
    from streamer.generator.model_table import text

    print(text(paths.place(environ).home))
    return 0


def bench(environ: Mapping[str, str], asked: argparse.Namespace) -> int:
    """Measure models, sizes and precisions, each in a process of its own; return 1 when not one could be measured."""
    from streamer import paths
    from streamer.generator.benchmark import command
    from streamer.generator.benchmark.cases import cases_of
    from streamer.generator.benchmark.results import Skipped

    where, cases = paths.place(environ), cases_of(command.wish_of(asked))
    for case in cases:
        if not isinstance(case, Skipped):
            _refuse_second_model(case.backend, where)
    rows = command.bench(cases, where.home, out=asked.out, as_json=asked.json).rows
    return 0 if rows else FAULT_EXIT


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
            print(json.dumps(as_json(outcome), ensure_ascii=standard_streams.is_ascii_only()))
    else:
        print(summary(outcomes))
    return 0


async def audit(environ: Mapping[str, str], since: str, output: Path) -> int:
    """Write who asked for what, every verdict and what was on air when, as JSON lines."""
    from streamer import paths
    from streamer.storage.audit import parse_since, read_audit

    _check_writable(output)
    where = paths.place(environ)
    rows = await asyncio.to_thread(read_audit, where.home, parse_since(since, time.time()))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    await asyncio.to_thread(_write, output, lines.encode())
    print(f"{output}: {len(rows)} lines")
    return 0


async def forget(environ: Mapping[str, str], who: str) -> int:
    """Delete everything that is kept about somebody, through the running program if there is one.

    ``who`` is an id, a login or a shown name.
    """
    from streamer.api import client
    from streamer.storage import instance_lock

    where, config, document = _loaded(environ)
    token = standing_tokens(where.home, environ)[TokenRole.OPERATOR]
    if (running := instance_lock.running_program(where.home)) is not None:
        # "Cannot be reached" is no proof that it does not run: the database is never edited beneath it.
        answer = await client.forget(running.local_url, token, who)
    else:
        with instance_lock.held(where.home, config.server.url, config.server.local_url):
            answer = await _forget_on_disk(where, config, document, who)
    print(f"{answer.requests} {'request' if answer.requests == 1 else 'requests'} deleted; {answer.text}")
    return 0


async def _forget_on_disk(where: Place, config: Config, document: Document, who: str) -> ForgetAnswer:
    from streamer import app
    from streamer.api.client import ForgetAnswer
    from streamer.integrations.obs.build import picture_files
    from streamer.storage.people import People, forgotten_words, several, unseen
    from streamer.storage.privacy import Privacy
    from streamer.storage.store import Store

    async with Store.at(where.home, config.store).opened() as store:
        privacy = Privacy(store, config.privacy)
        await privacy.restore()
        meant = People(await store.requests.people()).meant(who)
        if len(meant) > 1:
            raise SeveralPeople(several(who, meant))
        actor = meant[0] if meant else unseen(who)
        count = await privacy.forget_everywhere(actor.id, app.keepers(config, document, store))
        await asyncio.to_thread(picture_files(where.home, config.layers).replace_all, {})
    return ForgetAnswer(count, forgotten_words(actor, known=bool(meant or count)))


def backup(environ: Mapping[str, str], file: Path | None) -> int:
    """Copy the database to a file."""
    from streamer import paths
    from streamer.storage.backup import copy_database
    from streamer.storage.database import FILE_NAME

    where = paths.place(environ)
    target = file or Path(time.strftime("streamer-backup-%Y%m%d-%H%M%S.db"))
    copy_database(where.home / FILE_NAME, target)
    print(f"{target}: everything in the database (who asked for what, bans, tokens, settings); keep it private")
    print(f"Not in it: pictures and secrets, which are files in {where.home}")
    return 0


async def restore(environ: Mapping[str, str], file: Path | None) -> int:
    """Put a copy of the database back, and forget again who asked for that since the copy was made."""
    from streamer.storage import instance_lock
    from streamer.storage.backup import put_back
    from streamer.storage.database import FILE_NAME
    from streamer.storage.privacy import Privacy
    from streamer.storage.store import Store

    where, config, _ = _loaded(environ)
    with instance_lock.held(where.home, config.server.url, config.server.local_url):
        source = file or _newest_copy(where.home)
        replaced = put_back(source, where.home / FILE_NAME)
        async with Store.at(where.home, config.store).opened() as store:
            returned = await Privacy(store, config.privacy).erase_returned()
    print(f"Restored from {source}")
    if replaced is not None:
        print(f"The replaced database is {replaced}; it is deleted after {config.privacy.texts_hours:g} hours")
    if returned:
        print(f"Forgotten again, as they had asked: {returned} {'person' if returned == 1 else 'people'}")
    return 0


def _newest_copy(home: Path) -> Path:
    from streamer.storage.backup import daily_copies

    if copies := daily_copies(home):
        return copies[-1]
    raise StoreError(str(home), "has no daily copy yet; name a file that 'streamer backup' wrote")


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
    from streamer import app, paths
    from streamer.integrations.obs import build
    from streamer.integrations.obs.config import ObsOptions
    from streamer.integrations.obs.desired_sources import SourceKind

    where, config, _ = _loaded(environ)
    options = config.obs or ObsOptions()
    overlay_url = app.overlay_url_of(app.url_for_obs(config), TokenTable(standing_tokens(where.home, environ)))
    client = build.build_client(options, where.home, environ)
    async with client.running() as events:
        await client.wait_until_ready(events, OBS_WITHIN_S)
        installer = build.build_installer(client, build.OverlayPages(config.layers, overlay_url), where.home)
        report = await installer.install(scenes or options.scenes, place=place)
    notes = [f"Note: {problem}" for problem in report.problems]
    print(*(report.changes or ["Everything is already in place"]), *notes, sep="\n")
    if config.obs is None and report.kind is SourceKind.IMAGE:
        fix = f"add obs: {{install: true}} to {paths.file_to_edit(where)}"
        print(f"Note: pictures reach OBS only while the program is connected to it: {fix}")
    return 0


def obs_password(environ: Mapping[str, str]) -> int:
    """Store the password of OBS's WebSocket server where only its owner can read it."""
    from streamer import paths
    from streamer.integrations.obs import password

    where = paths.place(environ)
    given = _secret("Password (OBS: Tools > WebSocket Server Settings > Show Connect Info): ")
    print(f"Stored in {password.write(where.home, given)}. A running program uses it at once.")
    return 0


def _secret(question: str) -> str:
    """Ask for a secret, or read it from a pipe; raises ConfigError when nothing is given."""
    if sys.stdin.isatty():
        with suppress(EOFError):
            if given := getpass.getpass(question).strip():
                return given
    elif given := _piped():
        return given
    raise ConfigError("password", "nothing was given", fix="type it, or pipe it: obs password < FILE")


def _piped() -> str:
    try:
        given = _decoded(sys.stdin.readline().strip())
        given.encode()
    except UnicodeError as error:
        raise ConfigError("password", "what was piped is not UTF-8", fix="type the password, or pipe UTF-8") from error
    return given


def _store(environ: Mapping[str, str]) -> Store:
    from streamer.storage.store import Store

    where, config, _ = _loaded(environ)
    return Store.at(where.home, config.store)


async def token_new(environ: Mapping[str, str], name: str, role: str) -> int:
    """Make an access token and show it, this once."""
    from streamer import app
    from streamer.storage.store import Store

    where, config, _ = _loaded(environ)
    token, token_role = new_token(), TokenRole(role)
    async with Store.at(where.home, config.store).opened() as store:
        await store.tokens.add(digest(token), token_role, name)
    print(token)
    if TokenRole.MODERATOR in INCLUDED_ROLES[token_role]:
        print(f"Panel: {app.panel_url_of(_address(where, config), token)}")
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
