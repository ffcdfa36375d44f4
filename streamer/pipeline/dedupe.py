"""Remembers for a minute how requests ended; an equal request shares the result, and nothing is drawn twice.

Drawing it again would also ask every judge again, with another seed, until one of them errs.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamer.commands.picture_key import is_shareable, picture_key
from streamer.lru import LruDict
from streamer.types import ImageRequest, Refusal

REMEMBERED = 500


@dataclass(frozen=True, slots=True)
class Result:
    """How a request ended, at ``at`` (monotonic seconds): refused, or shown when there is no ``refusal``."""

    request_id: str
    at: float
    refusal: Refusal | None = None


class RecentResults:
    """Remember the results of the last ``for_s`` seconds, by what was asked for; 0 remembers none."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        # Keyed by a hash: an edit carries its whole picture.
        self._results: LruDict[int, Result] = LruDict(REMEMBERED)

    def note(self, request: ImageRequest, now: float, refusal: Refusal | None = None) -> None:
        """Remember that a picture was shown just now, or refused."""
        self._results.put(hash(picture_key(request)), Result(request.id, now, refusal))

    def find(self, request: ImageRequest, now: float) -> Result | None:
        """Return how an equal request ended a moment ago, if this one may share results."""
        result = self._results.get(hash(picture_key(request))) if is_shareable(request) else None
        return result if result is not None and now - result.at < self._for_s else None
