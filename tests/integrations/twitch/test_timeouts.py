"""Pauses grow up to a cap."""

from streamer.integrations.twitch.timeouts import Timeouts


def test_what_was_refused_is_asked_for_again_with_growing_pauses() -> None:
    assert [Timeouts().subscribe_s(attempt) for attempt in (0, 1, 5, 6, 10**6)] == [2, 4, 64, 120, 120]
