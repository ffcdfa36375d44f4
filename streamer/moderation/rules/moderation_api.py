"""Asks a remote moderation service about each text while its picture is drawn; viewers' texts leave this computer.

Works with any service that answers like OpenAI's: platform.openai.com/docs/api-reference/moderations
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import Field

from streamer.errors import ConfigError
from streamer.integrations import network
from streamer.interfaces import Rule
from streamer.moderation.thresholds import Scores, Share, Thresholds, classify
from streamer.types import ImageRequest, Judgement, Outcome

OPENAI_URL = "https://api.openai.com/v1/moderations"
KEY_VARIABLE, URL_VARIABLE = "STREAMER_MODERATION_KEY", "STREAMER_MODERATION_URL"


class Options(Thresholds):
    """Which service to ask. Its key is read from the environment, never from here."""

    url: str = Field(
        "", description="any service that answers like OpenAI's; left out: STREAMER_MODERATION_URL, otherwise OpenAI's"
    )
    model: str = Field("omni-moderation-latest", description="name of the model at that service")
    timeout_s: float = Field(
        2.0, gt=0, lt=3, description="seconds to wait for an answer; without one the picture is held"
    )
    hold: Mapping[str, Share] = Field(
        {"sexual": 0.3, "violence/graphic": 0.4, "hate": 0.3, "harassment": 0.5, "self-harm": 0.3, "illicit": 0.5},
        description="score of each category from which a moderator decides; whatever the service flags is held anyway",
    )
    block: Mapping[str, Share] = Field(
        {"sexual/minors": 0.2, "sexual": 0.8, "hate/threatening": 0.5, "self-harm/instructions": 0.5},
        description="score of each category from which the request is refused",
    )


class ModerationApi(Rule):
    """Send the text alone, without name or channel. A fault or silence raises, which Policy turns into a hold."""

    def __init__(self, options: Options, url: str, key: str) -> None:
        self._options, self._url = options, url
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def judge_text(self, request: ImageRequest) -> Judgement:
        """Send the text and classify the scores of the answer; raise if there is no usable answer."""
        options = self._options
        async with network.http_client(options.timeout_s, self._headers) as client:
            response = await client.post(self._url, json={"model": options.model, "input": request.text})
        response.raise_for_status()
        flagged, scores = parse_answer(response.json())
        outcome, code = classify(scores, options)
        if flagged and outcome is Outcome.ALLOW:
            outcome, code = Outcome.HOLD, "flagged"
        took_ms = response.elapsed.total_seconds() * 1000
        return Judgement(outcome, code, "moderation_api", options.model, scores, took_ms)


def parse_answer(answer: object) -> tuple[bool, Scores]:
    """Return whether the service flagged the text, and its scores; raise ValueError if they are missing."""
    try:
        result = answer["results"][0]  # type: ignore[index]
        return bool(result["flagged"]), {str(name): float(score) for name, score in result["category_scores"].items()}
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError("the moderation service sent an answer in an unknown format") from error


def create(options: Options) -> ModerationApi:
    """Build the rule; raise ConfigError without a key for OpenAI, or if it would travel unencrypted."""
    url, key = options.url or os.environ.get(URL_VARIABLE) or OPENAI_URL, os.environ.get(KEY_VARIABLE, "")
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ConfigError("url", f"{url!r} is no http address", fix="give the full address of the endpoint")
    if address.scheme == "http" and not network.is_this_computer(address.hostname):
        raise ConfigError("url", "texts and the key would travel unencrypted", fix="use https")
    if url == OPENAI_URL and not key:
        raise ConfigError("url", f"{KEY_VARIABLE} is not set", fix=f"put the service's key into {KEY_VARIABLE}")
    return ModerationApi(options, url, key)
