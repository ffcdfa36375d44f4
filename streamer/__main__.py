"""Command line: run, demo, draw, doctor, rehearse, audit, forget, login, obs, token."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from streamer import __version__
from streamer.errors import ConfigError, StreamerError

CONFIG_EXIT = 2
FAULT_EXIT = 1


def parser() -> argparse.ArgumentParser:
    """Describe every command."""
    top = argparse.ArgumentParser(prog="streamer", description="Chat commands and hotkeys become stream pictures.")
    top.add_argument("--version", action="version", version=f"streamer {__version__}")
    top.add_argument("--verbose", action="store_true", help="log more")
    commands = top.add_subparsers(
        dest="command",
        required=True,
        metavar="run | demo | draw | doctor | rehearse | audit | forget | login | obs | token",
    )
    run = commands.add_parser("run", help="start the overlay, the panel and the chat sources")
    run.add_argument("--twitch", metavar="CHANNEL", help="read this Twitch channel too; no login needed")
    demo = commands.add_parser("demo", help="replay a recorded chat evening, so that the overlay lives by itself")
    demo.add_argument("--speed", type=float, default=1.0, help="2 replays twice as fast (default 1)")
    demo.add_argument("--chat", type=Path, help="replay this file of JSON lines instead of the shipped evening")
    draw = commands.add_parser("draw", help="draw one picture to a file with the configured backend")
    draw.add_argument("prompt")
    draw.add_argument("-o", "--output", type=Path, default=Path("picture.jpg"))
    draw.add_argument("--as", dest="word", default="bg", metavar="COMMAND", help="which command's size and template")
    draw.add_argument("--seed", type=int, help="draw the same picture again")
    commands.add_parser("doctor", help="say what is installed, what would draw and why, and how to mend what is not")
    login = commands.add_parser("login", help="log in where a platform needs it: shows a link and a code")
    login.add_argument("platform", choices=("twitch",))
    _obs_parser(commands.add_parser("obs", help="put the overlay into OBS, and keep OBS's password"))
    rehearse = commands.add_parser("rehearse", help="say what would have become of a recorded chat, without drawing")
    rehearse.add_argument("chat", type=Path, help="a file of JSON lines, as for demo --chat")
    rehearse.add_argument("--json", action="store_true", help="one JSON object a line instead of a summary")
    rehearse.add_argument(
        "--draw-s", type=float, default=0.3, help="seconds a picture is assumed to take (default 0.3)"
    )
    audit = commands.add_parser("audit", help="write down who asked what, every verdict and what was on air when")
    export = audit.add_subparsers(dest="action", required=True).add_parser("export", help="as JSON lines")
    export.add_argument("--since", default="30d", help="2h, 7d or 2026-11-01 (default 30d)")
    export.add_argument("-o", "--output", type=Path, default=Path("audit.jsonl"))
    commands.add_parser("forget", help="remove everything about one person").add_argument("user_id")
    token = commands.add_parser("token", help="make, list and revoke access tokens")
    actions = token.add_subparsers(dest="action", required=True)
    new = actions.add_parser("new", help="make a token; it is shown once")
    new.add_argument("name")
    new.add_argument("--role", choices=("overlay", "trigger", "moderator", "operator"), required=True)
    actions.add_parser("list", help="list the tokens that were made")
    actions.add_parser("revoke", help="revoke the tokens of a name").add_argument("name")
    return top


def _obs_parser(obs: argparse.ArgumentParser) -> None:
    actions = obs.add_subparsers(dest="action", required=True)
    install = actions.add_parser("install", help="make or mend the overlay's sources in the OBS that runs now")
    install.add_argument("--scene", action="append", default=[], help="into this scene; may be given several times")
    install.add_argument(
        "--place", action="store_true", help="also put them back where they belong, over the whole canvas"
    )
    actions.add_parser(
        "password", help="keep the password of OBS's WebSocket server; it is asked for, or read from a pipe"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors are said in one line each, and a wrong config exits with 2."""
    chosen = parser().parse_args(arguments)
    level = logging.DEBUG if chosen.verbose else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    for library in ("websockets", "httpx", "httpcore", "filelock"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        return _dispatch(chosen)
    except KeyboardInterrupt:
        return 130
    except (StreamerError, BaseExceptionGroup) as error:
        return _say(error)


def _say(error: BaseException) -> int:
    """Print what was raised on purpose, one line each; anything else is a bug and keeps its traceback."""
    found = list(_flat(error))
    if not all(isinstance(one, StreamerError) for one in found):
        raise error
    for one in found:
        print(f"error: {one}", file=sys.stderr)
    return CONFIG_EXIT if all(isinstance(one, ConfigError) for one in found) else FAULT_EXIT


def _flat(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _flat(inner)
    else:
        yield error


def _dispatch(chosen: argparse.Namespace) -> int:
    # Imported here: --help and a wrong argument answer at once.
    from streamer import cli

    match chosen.command:
        case "run":
            return asyncio.run(cli.run(os.environ, twitch=chosen.twitch))
        case "demo":
            return asyncio.run(cli.demo(os.environ, chosen.chat, chosen.speed))
        case "draw":
            return asyncio.run(cli.draw(os.environ, chosen.prompt, chosen.output, chosen.word, chosen.seed))
        case "doctor":
            return cli.doctor(os.environ)
        case "rehearse":
            return cli.rehearse(os.environ, chosen.chat, chosen.draw_s, chosen.json)
        case "audit":
            return asyncio.run(cli.audit(os.environ, chosen.since, chosen.output))
        case "forget":
            return asyncio.run(cli.forget(os.environ, chosen.user_id))
        case "login":
            return asyncio.run(cli.login(os.environ))
        case "obs" if chosen.action == "install":
            return asyncio.run(cli.obs_install(os.environ, chosen.scene, place=chosen.place))
        case "obs":
            return cli.obs_password(os.environ)
        case _:
            return asyncio.run(
                cli.token(os.environ, chosen.action, getattr(chosen, "name", ""), getattr(chosen, "role", ""))
            )


if __name__ == "__main__":
    sys.exit(main())
