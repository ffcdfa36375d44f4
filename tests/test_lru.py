"""The bounded memory: newest kept, oldest forgotten, never larger than its limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamer.lru import LruDict


def test_a_key_is_new_once() -> None:
    recent: LruDict[str, int] = LruDict(2)
    assert recent.put("a", 1)
    assert not recent.put("a", 2)
    assert recent.get("a") == 2


def test_what_is_popped_is_forgotten() -> None:
    recent: LruDict[str, int] = LruDict(2)
    recent.put("a", 1)
    assert (recent.pop("a"), recent.pop("a"), "a" in recent) == (1, None, False)


@given(st.lists(st.integers(0, 20)), st.integers(1, 5))
def test_it_knows_exactly_the_newest_distinct_keys(keys: list[int], limit: int) -> None:
    recent: LruDict[int, None] = LruDict(limit)
    for key in keys:
        recent.put(key, None)
    newest = list(dict.fromkeys(reversed(keys)))[:limit]
    assert {key for key in range(21) if key in recent} == set(newest)


def test_what_has_expired_is_dropped_from_the_oldest_on_until_one_has_not() -> None:
    recent: LruDict[str, float] = LruDict(10)
    for key, at in (("a", 1.0), ("b", 2.0), ("c", 9.0), ("d", 1.0)):
        recent.put(key, at)
    recent.drop_while(lambda at: at < 5.0)
    assert list(recent) == ["c", "d"]
    recent.drop_while(lambda at: True)
    assert len(recent) == 0
