"""Knows for a minute what became of each picture; who asks for the same shares its fate, and nothing is drawn twice.

Drawing it anew would also ask every judge anew, with another seed, until one of them errs.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamer.lru import LruDict
from streamer.types import ImageRequest, Refusal, is_shareable, picture_key

REMEMBERED = 500


@dataclass(frozen=True, slots=True)
class Result:
    """How a request ended, at a moment in monotonic seconds: refused, or (without ``refusal``) shown."""

    request_id: str
    at: float
    refusal: Refusal | None = None


class RecentResults:
    """Know the fates of the last ``for_s`` seconds, by what was asked for; 0 remembers none."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        # A hash, for a request to change a picture carries that picture.
        self._fates: LruDict[int, Result] = LruDict(REMEMBERED)

    def note(self, request: ImageRequest, now: float, refusal: Refusal | None = None) -> None:
        """Remember that a picture was shown just now, or refused."""
        self._fates.put(hash(picture_key(request)), Result(request.id, now, refusal))

    def fate(self, request: ImageRequest, now: float) -> Result | None:
        """Return what became of the same picture a moment ago, if the request is one that shares fates."""
        fate = self._fates.get(hash(picture_key(request))) if is_shareable(request) else None
        return fate if fate is not None and now - fate.at < self._for_s else None
