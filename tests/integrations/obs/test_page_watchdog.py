"""When a page counts as missing, and how often OBS is told to load it again."""

from __future__ import annotations

from streamer.integrations.obs.page_watchdog import AGAIN_S, ELSEWHERE, GONE_S, MISSING, PageWatch


def test_a_page_in_obs_is_left_alone() -> None:
    watch = PageWatch(0.0)
    assert not any(watch.refresh(["31.0.2"], float(second)) for second in range(100))


def test_a_missing_page_is_loaded_again_after_a_moment_and_then_now_and_then() -> None:
    watch = PageWatch(0.0)
    pressed = [second for second in range(200) if watch.refresh([""], float(second))]
    assert pressed == [GONE_S, GONE_S + AGAIN_S, GONE_S + 2 * AGAIN_S, GONE_S + 3 * AGAIN_S]


def test_a_page_that_reconnects_is_not_missing() -> None:
    watch = PageWatch(0.0)
    watch.refresh(["31.0.2"], 100.0)
    assert not watch.refresh([], 100.0 + GONE_S / 2)
    assert watch.refresh([], 100.0 + GONE_S)


def test_live_without_a_page_is_an_alarm_and_a_browser_is_not_obs() -> None:
    watch = PageWatch(0.0)
    assert watch.alarm([], True, GONE_S / 2) == ""
    assert watch.alarm([], True, GONE_S) == MISSING
    assert watch.alarm([""], True, GONE_S) == ELSEWHERE
    assert watch.alarm(["31.0.2"], True, GONE_S) == ""
    assert watch.alarm([], False, GONE_S) == ""
