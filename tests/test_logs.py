"""Log lines for machines: what they are about, and what never stands in them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamer import logs
from tests.support.real_program import CONFIG, Remote, client, command, environment, free_port, wait_until_ready

log = logging.getLogger("streamer.anything")


def line_of(record: logging.LogRecord) -> dict[str, str]:
    """Return a record as the formatter writes it, read again."""
    written = logs.JsonLines().format(record)
    assert "\n" not in written
    read: dict[str, str] = json.loads(written)
    return read


@contextmanager
def without_handlers() -> Iterator[None]:
    """Let logging be set up, and put everything back."""
    root, requests = logging.getLogger(), logging.getLogger(logs.REQUESTS)
    kept, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        yield
    finally:
        root.handlers[:] = kept
        root.setLevel(level)
        requests.setLevel(logging.NOTSET)
        logging.captureWarnings(False)


def test_a_line_has_its_time_in_utc_its_level_and_its_logger(caplog: pytest.LogCaptureFixture) -> None:
    log.warning("not drawn: %s", "r1")
    line = line_of(caplog.records[0])
    assert (line["level"], line["logger"], line["message"]) == ("warning", "streamer.anything", "not drawn: r1")
    assert line["time"].endswith("+00:00")


def test_a_line_names_the_innermost_request_and_the_channel_around_it(caplog: pytest.LogCaptureFixture) -> None:
    with logs.about(channel="ann", request="r1"):
        with logs.about(request="r2", source=""):
            log.error("inside")
            inside = line_of(caplog.records[-1])
        log.error("outside")
        outside = line_of(caplog.records[-1])
    log.error("later")
    assert (inside["channel"], inside["request"], "source" in inside) == ("ann", "r2", False)
    assert outside["request"] == "r1"
    assert "request" not in line_of(caplog.records[-1])


async def test_two_tasks_do_not_see_each_others_request(caplog: pytest.LogCaptureFixture) -> None:
    async def handle(request: str, mine: asyncio.Event, others: asyncio.Event) -> None:
        with logs.about(request=request):
            mine.set()
            await others.wait()
            log.error("about %s", request)
            assert line_of(caplog.records[-1])["request"] == request

    first, second = asyncio.Event(), asyncio.Event()
    await asyncio.gather(handle("r1", first, second), handle("r2", second, first))
    assert len(caplog.records) == 2


def test_an_error_carries_its_traceback_in_the_same_line(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("a rule failed")
    assert "ValueError: broken" in line_of(caplog.records[0])["traceback"]


@pytest.mark.parametrize(("layout", "verbose", "told"), [("text", False, 0), ("text", True, 1), ("json", False, 1)])
def test_each_end_of_a_request_is_told_to_machines_and_to_whoever_wants_more(
    capsys: pytest.CaptureFixture[str], layout: str, verbose: bool, told: int
) -> None:
    with without_handlers():
        logs.set_up(logs.LogFormat(layout), verbose=verbose)
        logging.getLogger(logs.REQUESTS).info("request ended: shown")
        log.warning("something else")
    errors = capsys.readouterr().err
    assert errors.count("request ended") == told
    assert errors.count("something else") == 1
    assert errors.startswith("{") is (layout == "json")


async def test_a_show_is_logged_without_any_prompt_or_viewers_name(tmp_path: Path) -> None:
    config, port, errors = tmp_path / "config.yaml", free_port(), tmp_path / "errors"
    config.write_text(CONFIG, encoding="utf-8")
    environ = environment(tmp_path / "home", port, config)
    program = Remote(f"http://127.0.0.1:{port}", tmp_path / "home", errors)
    with command("--log-format", "json", "run", environ=environ, log=tmp_path / "printed", errors=errors):
        await asyncio.to_thread(wait_until_ready, program.url)
        async with client(program.url) as program.client:
            shown = await program.shown("!bg a purple zeppelin", name="Secretviewer")
            refused = await program.say("!bg forbiddenword zeppelin", role="viewer", name="Secretviewer")
            assert refused["outcome"] == "refused"
            assert (await program.say("!ban Secretviewer", role="broadcaster", name="Modsname"))["outcome"] == "done"
            await program.say("!bg another zeppelin", role="viewer", name="Secretviewer")
            await program.say("zeppelin is only chat", role="viewer", name="Secretviewer")
            queued = await program.say("!bg last zeppelin")
            await program.ended(queued["id"])
    text = errors.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    ends = {line["request"]: line for line in lines if line["logger"] == logs.REQUESTS}
    assert (ends[shown]["message"], ends[shown]["source"]) == ("request ended: shown", "http")
    assert ends[shown]["total_s"] > 0
    assert set(ends) == {shown, queued["id"]}
    for word in ("zeppelin", "secretviewer", "modsname", "forbiddenword"):
        assert word not in text.lower()
