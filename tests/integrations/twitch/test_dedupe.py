"""What was told before is known, for a time and up to a number."""

from streamer.integrations.twitch.dedupe import CrossSourceDedupe, TtlSet

NOW = 50.0


def test_memory_for_repeats_is_bounded_and_keeps_the_newest() -> None:
    seen = TtlSet(2)
    assert [seen.before(key, NOW) for key in "abacb"] == [False, False, True, False, False]


def test_memory_ends_after_its_time() -> None:
    seen = TtlSet(kept_s=10)
    seen.before("a", NOW)
    seen.before("b", NOW + 11)
    assert "a" not in seen
    assert not seen.recent("a", NOW + 11, 100)


def test_the_second_telling_of_one_event_is_no_news_in_any_order() -> None:
    twins = CrossSourceDedupe()
    tellings = [("chat", True), ("event", False), ("event", True), ("event", True), ("chat", False), ("irc", False)]
    assert [twins.is_news("raid", way, NOW) for way, _ in tellings] == [news for _, news in tellings]
    assert twins.is_news("raid", "irc", NOW + 1000)
