"""Asks a remote moderation service about each text while its picture is drawn. What viewers type leaves this computer.

Any service that answers as OpenAI's moderation endpoint does: platform.openai.com/docs/api-reference/moderations
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
from pydantic import Field

from streamer.errors import ConfigError
from streamer.interfaces import Rule
from streamer.moderation.thresholds import Scores, Share, Thresholds, classify
from streamer.types import ImageRequest, Judgement, Outcome

OPENAI = "https://api.openai.com/v1/moderations"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
KEY, URL = "STREAMER_MODERATION_KEY", "STREAMER_MODERATION_URL"


class Options(Thresholds):
    """Whom to ask. The key stands in the environment, never here."""

    url: str = Field(
        "", description="any service that answers like OpenAI's; left out: STREAMER_MODERATION_URL, otherwise OpenAI's"
    )
    model: str = Field("omni-moderation-latest", description="name of the model at that service")
    timeout_s: float = Field(2.0, gt=0, lt=3, description="a later answer counts as none, and the picture is held")
    hold: Mapping[str, Share] = Field(
        {"sexual": 0.3, "violence/graphic": 0.4, "hate": 0.3, "harassment": 0.5, "self-harm": 0.3, "illicit": 0.5},
        description="category to score from which a moderator decides; what the service itself flags is held anyway",
    )
    block: Mapping[str, Share] = Field(
        {"sexual/minors": 0.2, "sexual": 0.8, "hate/threatening": 0.5, "self-harm/instructions": 0.5},
        description="category to score from which the request is refused",
    )


class ModerationApi(Rule):
    """Ask about the text alone: no name, no channel. A fault or silence is an exception, and so a hold."""

    def __init__(self, options: Options, url: str, key: str) -> None:
        self._options, self._url = options, url
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def judge_text(self, request: ImageRequest) -> Judgement:
        """Send the text and weigh the answer."""
        options = self._options
        async with httpx.AsyncClient(timeout=options.timeout_s, headers=self._headers, trust_env=False) as client:
            said = await client.post(self._url, json={"model": options.model, "input": request.text})
        said.raise_for_status()
        flagged, scores = read(said.json())
        outcome, code = classify(scores, options)
        if flagged and outcome is Outcome.ALLOW:
            outcome, code = Outcome.HOLD, "flagged"
        took_ms = said.elapsed.total_seconds() * 1000
        return Judgement(outcome, code, "moderation_api", options.model, scores, took_ms)


def read(answer: object) -> tuple[bool, Scores]:
    """Take whether it was flagged and the scores out of an answer; ValueError when they are not there."""
    try:
        result = answer["results"][0]  # type: ignore[index]
        return bool(result["flagged"]), {str(name): float(score) for name, score in result["category_scores"].items()}
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError("the moderation service answers in a way that is not known") from error


def create(options: Options) -> ModerationApi:
    """Build the rule; a key must be there for OpenAI, and never travels unencrypted."""
    url, key = options.url or os.environ.get(URL) or OPENAI, os.environ.get(KEY, "")
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ConfigError("url", f"{url!r} is no http address", fix="give the full address of the endpoint")
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        raise ConfigError("url", "texts and the key would travel unencrypted", fix="use https")
    if url == OPENAI and not key:
        raise ConfigError("url", f"{KEY} is not set", fix=f"put the service's key into {KEY}")
    return ModerationApi(options, url, key)
