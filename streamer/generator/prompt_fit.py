"""Shorten the viewer's words where a prompt is longer than the model reads; template and style around them stay whole.

A text model cuts a long prompt at its end, where styles stand.
"""

from __future__ import annotations

import bisect
import logging
import re
from collections.abc import Callable, Sequence

from streamer.types import ImageRequest

log = logging.getLogger(__name__)

_PIECES = re.compile(r"\s*[^\s\u2e80-\uffff]+|\s*\S")
"""Words with the space before them, and single characters of scripts that write none."""

Fits = Callable[[str], bool]
"""Tell whether the model reads all of a prompt."""


class PromptFitter:
    """Fit prompts to one model, and count for the status what was left out; ``limit`` names what is too short."""

    def __init__(self, fits: Fits, limit: str) -> None:
        self._fits, self._limit = fits, limit
        self._shortened = self._cut = 0
        self.left_out_words = False
        """Whether the last prompt lost some of the viewer's words."""

    def fit(self, request: ImageRequest) -> str:
        """Return the prompt of a request, without its author's last words if it is too long with them."""
        prompt = fit_words(parts_around_words(request), request.words, self._fits)
        self.left_out_words = prompt != request.prompt
        if self.left_out_words:
            self._shortened += 1
            log.info("the prompt is longer than %s: its text lost words at the end", self._limit)
        if not self._fits(prompt):
            self._cut += 1
            log.warning("template and style alone are longer than %s: the end of the style is lost", self._limit)
        return prompt

    def active(self) -> dict[str, str]:
        """Say how many prompts were shortened, for the status; nothing if none was."""
        shortened = {"shortened": f"{self._shortened} texts longer than {self._limit}"} if self._shortened else {}
        cut = {"style cut": f"in {self._cut} pictures: it is longer than {self._limit}"} if self._cut else {}
        return {**shortened, **cut}


def parts_around_words(request: ImageRequest) -> list[str]:
    """Split a prompt where its author's words stand; one part means that nothing of it is theirs."""
    parts = request.template.split("{text}")
    return parts if request.words.join(parts) == request.prompt else [request.prompt]


def fit_words(parts: Sequence[str], words: str, fits: Fits) -> str:
    """Return the parts joined by as many whole words, from the first one on, as fit; by none if they alone are long."""
    if len(parts) == 1 or fits(words.join(parts)):
        return words.join(parts)
    pieces = _PIECES.findall(words)
    kept = bisect.bisect_left(
        range(1, len(pieces) + 1), x=True, key=lambda count: not fits("".join(pieces[:count]).join(parts))
    )
    return "".join(pieces[:kept]).join(parts)
