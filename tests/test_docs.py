"""The tables of the documentation name everything that the program has, and nothing else."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import get_args

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from streamer import api, cli, config_checks, paths
from streamer.api.auth import TokenRole
from streamer.api.v1.routes import KEY
from streamer.commands.event_triggers import EventTrigger
from streamer.commands.named_triggers import PRESSABLE
from streamer.config import Config
from streamer.generator import models
from streamer.integrations import network, web_browser
from streamer.interfaces import ReceiptOutcome
from streamer.overlay import wire
from streamer.overlay.server import CloseCode
from streamer.pipeline.drafts import DraftState
from streamer.types import NoticeKind, RequestState, Role, StageAction
from tests.support.real_program import CONFIG, Remote, client, command, environment, free_port, wait_until_ready

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def section(page: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of the same or a higher level."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page} has no section {heading!r}"
    return found[2]


def rows(text: str) -> Iterator[list[str]]:
    """Return the cells of each row of the tables in a text that begins with code."""
    return (cells for cells in table_rows(text) if cells[0].startswith("`"))


def table_rows(text: str) -> Iterator[list[str]]:
    """Return the cells of each line of the tables in a text, heads included."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    environ = {"STREAMER_HOME": str(tmp_path_factory.mktemp("docs")), "STREAMER_CONFIG": str(ROOT / "config.yaml")}
    return config_checks.checked_config(paths.place(environ), environ)[0]


def test_every_chat_command_stands_in_the_table_with_its_aliases_and_role(config: Config) -> None:
    told = {
        CODE.findall(first)[0].removeprefix("!").split()[0]: (CODE.findall(aliases), role)
        for first, aliases, role, _ in rows(section("docs/commands.md", "In chat"))
    }
    known = {
        word: (list(command.aliases), command.role_needed.name.lower()) for word, command in config.commands.items()
    }
    assert told == known


def test_every_name_that_can_be_pressed_stands_in_both_tables() -> None:
    known = {action.value for action in PRESSABLE}
    for page, heading in (("docs/commands.md", "On keys, decks and pads"), ("docs/hotkeys.md", "Named triggers")):
        assert {name for first, *_ in rows(section(page, heading)) for name in CODE.findall(first)} == known, page


def test_every_event_stands_in_the_table() -> None:
    text = section("docs/commands.md", "By events")
    assert {name for first, *_ in rows(text) for name in CODE.findall(first)} == set(NoticeKind) - {"scene"}
    after = text[text.rindex("`event:`") :]
    accepted = EventTrigger.model_json_schema()["properties"]["event"]["enum"]
    assert set(CODE.findall(after.split("`{count}`")[1])) == set(accepted)


def test_the_lists_in_the_comments_of_the_config_file_are_complete() -> None:
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    for key, known in (("named_triggers", set(PRESSABLE)), ("when", set(NoticeKind))):
        comment = text[: text.index(f"\n{key}:")].rsplit("\n\n", 1)[1]
        assert {word for word in known if re.search(rf"\b{word}\b", comment) is None} == set(), key


def _leaves(parser: argparse.ArgumentParser, words: str = "") -> Iterator[tuple[str, set[str]]]:
    """Return each command of the command line in full, with its long options but the one that all of them have."""
    subparsers = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in subparsers:
        for word, inner in action.choices.items():
            yield from _leaves(inner, f"{words} {word}")
    if not subparsers:
        yield words.strip(), _long_options(parser) - {"--config"}


def _long_options(parser: argparse.ArgumentParser) -> set[str]:
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    return options - {"--help"}


def test_every_command_of_the_command_line_stands_in_the_table_with_its_options() -> None:
    text, told = section("docs/commands.md", "On the command line"), {}
    for first, *_ in rows(text):
        if first.startswith("`streamer "):
            words = re.match(
                r"`streamer ([a-z-]+(?: (?:new|add|list|usage|revoke|export|install|password|[a-z]+(?=`)))?)", first
            )
            assert words is not None, first
            told[words[1]] = set(re.findall(r"--[a-z-]+", first))
    known = {command.replace("login", "login twitch"): options for command, options in _leaves(cli.parser())}
    assert told == known
    assert {option for option in _long_options(cli.parser()) if f"`{option}`" not in text} == set()


def test_every_exit_code_of_the_command_line_is_explained() -> None:
    told = {
        int(number)
        for number in re.findall(
            r"(\d+) ", section("docs/commands.md", "On the command line").split("Exit codes:")[1].split("\n\n")[0]
        )
    }
    assert told == {0} | {value for name, value in vars(cli).items() if name.endswith("_EXIT")}


def test_every_variable_that_the_program_reads_stands_in_the_table() -> None:
    table = section("docs/commands.md", "On the command line")
    told = {name for first, *_ in rows(table) for name in CODE.findall(first) if not name.startswith("streamer")}
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "streamer").rglob("*.py"))
    read = set(re.findall(r"STREAMER_[A-Z_]+[A-Z]", source)) | set(re.findall(r"environ\.get\(\"(\w+)\"", source))
    by_constant = {network.CERTIFICATE_FILE, network.CERTIFICATE_FOLDERS, network.KEY_LOG, network.NO_PROXY}
    by_constant |= {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}  # the standard library reads these
    assert told == read | by_constant | {*web_browser.DISPLAYS, *web_browser.ELSEWHERE}


def _routes() -> Iterator[APIRoute]:
    """Return every route of the HTTP API."""
    for found in pkgutil.walk_packages(api.__path__, "streamer.api."):
        router = getattr(importlib.import_module(found.name), "router", None)
        if isinstance(router, APIRouter):
            yield from (route for route in router.routes if isinstance(route, APIRoute) and route.include_in_schema)


def test_every_route_stands_in_the_table_with_its_role() -> None:
    told = {
        CODE.findall(first)[0]: role.strip("`") for first, role, _ in rows(section("docs/http-api.md", "Every route"))
    }
    assert told == {f"{method} {route.path}": _role(route) for route in _routes() for method in route.methods or ()}


def _role(route: APIRoute) -> str:
    """Return the role of a route as the table says it."""
    if route.path.startswith("/trigger/"):
        return "trigger"  # it reads the token from the address as well
    if KEY in route.dependencies:
        return "tenant"
    cells = [
        cell.cell_contents
        for needed in route.dependencies
        for cell in getattr(needed.dependency, "__closure__", None) or ()
    ]
    return str(cells[0]) if cells else "none"


def test_every_word_that_the_http_api_says_or_takes_is_explained() -> None:
    page = (ROOT / "docs/http-api.md").read_text(encoding="utf-8")
    roles = [role.name.lower() for role in Role]
    words = {*ReceiptOutcome, *RequestState, *DraftState, *TokenRole, *roles}
    assert {word for word in words if f"`{word}`" not in page} == set()


def test_every_error_of_the_http_api_stands_in_the_table() -> None:
    told = {int(first) for first, *_ in table_rows(section("docs/http-api.md", "Errors")) if first.isdecimal()}
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "streamer" / "api").glob("*.py"))
    raised = {int(status) for status in re.findall(r"(?:HTTPException|problem)\(\s*(\d{3})", source)}
    raised |= {HTTPStatus[name] for name in re.findall(r"HTTPStatus\.([A-Z_]+)", source)}
    assert {status for status in raised if status >= HTTPStatus.BAD_REQUEST} - told == set()


def _blocks(page: str) -> list[tuple[str, str]]:
    """Return the language and the text of each block of code of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_every_curl_line_of_the_http_page_works_in_the_order_of_the_page(tmp_path: Path) -> None:
    config, port, shortcut = tmp_path / "config.yaml", free_port(), tmp_path / "streamer"
    config.write_text(CONFIG + "approval: {mode: 'on'}\n", encoding="utf-8")
    shortcut.write_text(f'#!/bin/sh\nexec {sys.executable} -m streamer "$@"\n', encoding="utf-8")
    shortcut.chmod(0o755)
    environ = environment(tmp_path / "home", port, config)
    variables, *blocks = _blocks("docs/http-api.md")
    start = variables[1].replace(":8710", f":{port}")
    with command("run", environ=environ, log=tmp_path / "log"):
        program = Remote(f"http://127.0.0.1:{port}", tmp_path / "home", tmp_path / "log")
        await asyncio.to_thread(wait_until_ready, program.url)
        environ |= {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        token = (await _shell(start + 'echo "$TOKEN"', environ, tmp_path)).strip()
        start = f"URL={program.url}; TOKEN={token}\n"
        async with client(program.url) as program.client:
            await _accepted(program.url, token)
            answer = ""
            for language, block in blocks:
                if language == "json":
                    assert json.loads(answer) == json.loads(block)
                elif block.startswith("curl"):
                    answer = await _shell(start + block, environ, tmp_path)
                    await program.until(lambda status: not status["pending"] and not status["drawing"])
                    await asyncio.to_thread(wait_until_ready, program.url)
                else:
                    start += block
    assert (tmp_path / "picture.jpg").read_bytes().startswith(b"\xff\xd8")
    assert "harbour-1" in (tmp_path / "audit.jsonl").read_text(encoding="utf-8")


async def _accepted(url: str, token: str) -> None:
    """Wait until a token made by the command line is valid in the running program."""
    async with (
        httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}) as script,
        asyncio.timeout(30),
    ):
        while (await script.get("/api/v1/stage")).is_error:
            await asyncio.sleep(0.05)


async def _shell(script: str, environ: dict[str, str], folder: Path) -> str:
    """Run lines as they stand in the documentation; any HTTP error ends them."""
    failing = 'set -e\ncurl() { command curl --fail-with-body --show-error "$@"; }\n'
    ended = await asyncio.to_thread(
        subprocess.run, ["bash", "-c", failing + script], env={**os.environ, **environ}, cwd=folder,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_every_close_code_of_the_overlay_stands_in_the_table() -> None:
    told = {first.strip() for first, *_ in table_rows(section("docs/wire-protocol.md", "Connecting"))}
    assert {str(int(code)) for code in CloseCode} - told == set()


def test_every_message_between_server_and_page_stands_in_the_tables() -> None:
    source = (ROOT / "streamer/overlay/wire.py").read_text(encoding="utf-8")
    sent = set(re.findall(r"_text\(\"(\w+)\"", source))
    received = {model.model_fields["type"].default for model in get_args(wire.PageMessage)}
    for heading, known in (("Server to page: text", sent), ("Page to server", received)):
        told = {CODE.findall(first)[0] for first, *_ in rows(section("docs/wire-protocol.md", heading))}
        assert told == known, heading


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_and_headings_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, heading = target.partition("#")
        if "://" in target:
            continue
        file = (page.parent / path) if path else page
        if not file.exists() or (heading and heading not in _anchors(file)):
            broken.append(target)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_action_that_changes_the_show_can_be_typed(config: Config) -> None:
    kinds = {command.kind.value for command in config.commands.values()}
    assert {action.value for action in StageAction} - kinds == set()


OTHER_SPELLING = re.compile(
    r"\b(?:colors?|behaviors?|neighbors?|gray|judgments?|(?:un)?(?:recogn|normal|optim|organ|summar|custom|minim|initial)"
    r"is(?:e|ed|er|es|ing|ation)s?)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md", ROOT / "config.yaml"], ids=lambda page: page.name)
def test_words_are_spelled_in_one_way(page: Path) -> None:
    assert not OTHER_SPELLING.findall(page.read_text(encoding="utf-8"))


def test_the_lines_of_the_first_page_are_short() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 120 and not line.startswith(("|", "!["))] == []


def test_the_page_of_models_has_every_model_with_its_licence_and_whether_it_may_earn_money() -> None:
    text = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    table = {cells[0].split("`")[1]: [cell.strip("*") for cell in cells] for cells in rows(text) if len(cells) > 6}
    for model in models.shipped().values():
        cells = table[model.name]
        may = "see its licence" if model.commercial is models.Commercial.CHECK else model.commercial.value
        assert (cells[1], cells[2], cells[3]) == (may, str(model.steps), "x".join(map(str, model.native)))
        assert cells[-1] == model.licence
        assert (cells[4] != "no") is model.edits
        assert all(f"{size:g}" in cells[5] for size in model.memory.values())
        assert f"{model.download:g} GB" in cells[6]
        assert ("gated" in cells[6]) is model.gated
