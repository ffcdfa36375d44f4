"""Pictures that programs fetch by an address instead of reading them from the answer; kept in memory for a while."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from streamer.lru import LruDict

MOST_PICTURES = 512
MOST_BYTES = 128 * 2**20


@dataclass(frozen=True, slots=True)
class LinkedPicture:
    """An encoded picture, and until when (monotonic seconds) it can be fetched."""

    media_type: str
    data: bytes
    until: float


class Links:
    """Hands out names that nobody can guess; whoever knows a name gets its picture."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pictures: LruDict[str, LinkedPicture] = LruDict(MOST_PICTURES)

    def put(self, media_type: str, data: bytes, now: float) -> str:
        """Keep a picture and return its name; the oldest make room."""
        name = secrets.token_urlsafe(32)
        self._pictures.put(name, LinkedPicture(media_type, data, now + self._seconds))
        self._make_room(now)
        return name

    def get(self, name: str, now: float) -> LinkedPicture | None:
        """Return a picture, None when there is none of that name any more."""
        self._make_room(now)
        return self._pictures.get(name)

    def _make_room(self, now: float) -> None:
        self._pictures.drop_while(lambda picture: picture.until <= now)
        size = sum(len(picture.data) for picture in self._pictures.values())
        while size > MOST_BYTES:
            oldest = self._pictures.pop(next(iter(self._pictures)))
            size -= len(oldest.data) if oldest is not None else 0
