"""A real server on this machine answers as moderation services do, and fails in every way they do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from streamer.errors import ConfigError
from streamer.moderation.policy import Policy
from streamer.moderation.rules.moderation_api import Options, create
from streamer.types import ImageRequest, Judgement

Ask = Callable[..., ImageRequest]


class Service(ThreadingHTTPServer):
    """Answer with ``status`` and ``body`` after ``wait_s``, and keep what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.status, self.body, self.wait_s = 200, b"", 0.0
        self.asked: list[tuple[dict[str, Any], str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/moderations"

    def will_say(self, flagged: bool = False, **scores: float) -> None:
        named = {name.replace("__", "/"): score for name, score in scores.items()}
        self.body = json.dumps({"results": [{"flagged": flagged, "category_scores": named}]}).encode()


class Answering(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((asked, self.headers["Authorization"]))
        time.sleep(self.server.wait_s)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as service:
        thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield service
        service.shutdown()
        thread.join()


async def answer(service: Service, request: ImageRequest, **options: Any) -> Judgement:
    (judgement,) = await Policy([create(Options(url=service.url, **options))]).judge_text(request)
    return judgement


@pytest.mark.parametrize(
    ("flagged", "scores", "outcome", "code"),
    [
        (False, {"sexual": 0.01}, "allow", ""),
        (False, {"sexual": 0.5}, "hold", "sexual"),
        (True, {"something_new": 0.9}, "hold", "flagged"),
        (True, {"sexual__minors": 0.4, "sexual": 0.5}, "block", "sexual/minors"),
    ],
)
async def test_scores_are_classified_and_a_flag_is_never_ignored(
    ask: Ask, service: Service, flagged: bool, scores: dict[str, float], outcome: str, code: str
) -> None:
    service.will_say(flagged, **scores)
    judgement = await answer(service, ask())
    assert (judgement.outcome, judgement.code, judgement.judge) == (outcome, code, "moderation_api")
    assert judgement.took_ms > 0


async def test_the_text_alone_is_sent_with_the_key_of_the_environment(
    ask: Ask, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMER_MODERATION_KEY", "secret")
    service.will_say()
    await answer(service, ask(text="замок", name="somebody"))
    assert service.asked == [({"model": "omni-moderation-latest", "input": "замок"}, "Bearer secret")]


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"{}"), (429, b"{}"), (200, b"<html>"), (200, b"{}"), (200, b'{"results": [3]}')]
)
async def test_every_failure_of_the_service_holds(ask: Ask, service: Service, status: int, body: bytes) -> None:
    service.status, service.body = status, body
    judgement = await answer(service, ask())
    assert (judgement.outcome, judgement.code) == ("hold", "failed")


async def test_a_service_that_is_late_or_away_holds(ask: Ask, service: Service) -> None:
    service.will_say()
    service.wait_s = 0.5
    began = time.monotonic()
    assert (await answer(service, ask(), timeout_s=0.1)).outcome == "hold"
    assert time.monotonic() - began < 0.45
    (judgement,) = await Policy([create(Options(url="http://127.0.0.1:9/"))]).judge_text(ask())
    assert judgement.outcome == "hold"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "STREAMER_MODERATION_KEY is not set"),
        ("http://example.org/", "unencrypted"),
        ("ftp://x/", "no http address"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, url: str, problem: str
) -> None:
    monkeypatch.delenv("STREAMER_MODERATION_KEY", raising=False)
    monkeypatch.delenv("STREAMER_MODERATION_URL", raising=False)
    with pytest.raises(ConfigError, match=problem):
        create(Options(url=url))
