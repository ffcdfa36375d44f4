"""A picture can be fetched by its name until its time is over, or newer ones need the room."""

from __future__ import annotations

import pytest

from streamer.api.v1 import links
from streamer.api.v1.links import Links


def test_a_name_leads_to_its_picture_for_a_while() -> None:
    kept = Links(seconds=60)
    name = kept.put("image/png", b"picture", now=0.0)
    assert len(name) > 40
    found = kept.get(name, 59.0)
    assert found is not None
    assert (found.media_type, found.data) == ("image/png", b"picture")
    assert kept.get("guess", 0.0) is None
    assert kept.get(name, 60.0) is None


def test_the_oldest_pictures_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_BYTES", 10)
    kept = Links(seconds=60)
    first, second, third = (kept.put("image/png", bytes(4), now=0.0) for _ in range(3))
    assert [kept.get(name, 0.0) is not None for name in (first, second, third)] == [False, True, True]
