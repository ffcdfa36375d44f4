"""Repeats are recognised, for a limited time and up to a limited number."""

from streamer.integrations.twitch.dedupe import CrossSourceDedupe, TtlSet

NOW = 50.0


def test_the_set_is_bounded_and_keeps_the_newest() -> None:
    seen = TtlSet(2)
    assert [seen.add(key, NOW) for key in "abacb"] == [False, False, True, False, False]


def test_the_set_forgets_a_key_after_its_time() -> None:
    seen = TtlSet(kept_s=10)
    seen.add("a", NOW)
    seen.add("b", NOW + 11)
    assert "a" not in seen
    assert not seen.is_recent("a", NOW + 11, 100)


def test_the_second_report_of_one_event_is_not_new_in_any_order() -> None:
    dedupe = CrossSourceDedupe()
    reports = [("chat", True), ("event", False), ("event", True), ("event", True), ("chat", False), ("irc", False)]
    assert [dedupe.is_new("raid", route, NOW) for route, _ in reports] == [new for _, new in reports]
    assert dedupe.is_new("raid", "irc", NOW + 1000)
