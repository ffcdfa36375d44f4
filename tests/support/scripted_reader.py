"""A judge of texts that finds what is listed in its options."""

import time

from streamer.moderation.thresholds import Scores, Thresholds


class Options(Thresholds):
    """Which words."""

    words: tuple[str, ...] = ("forbidden",)
    takes_s: float = 0.0


class Reader:
    version = "1"

    def __init__(self, options: Options) -> None:
        self._options = options

    def load(self) -> None:
        pass

    def read(self, text: str) -> Scores:
        time.sleep(self._options.takes_s)
        return {word: float(word in text) for word in self._options.words}


def create(options: Options) -> Reader:
    return Reader(options)
