"""When a page counts as missing, and how often OBS is told to reload it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from streamer.integrations.obs.page_watchdog import MISSING_AFTER_S, NO_PAGE, NO_PAGE_IN_OBS, RELOAD_EVERY_S, PageWatch
from streamer.types import NoticeKind
from tests.support.obs_parts import running_obs
from tests.support.real_obs import HEIGHT, WIDTH, RealObs
from tests.support.waiting import until


def test_a_page_in_obs_is_left_alone() -> None:
    watch = PageWatch(0.0)
    assert not any(watch.should_reload(["31.0.2"], float(second)) for second in range(100))


def test_a_missing_page_is_reloaded_after_five_seconds_and_then_once_a_minute() -> None:
    watch = PageWatch(0.0)
    pressed = [second for second in range(200) if watch.should_reload([""], float(second))]
    assert pressed == [MISSING_AFTER_S + times * RELOAD_EVERY_S for times in range(4)]


def test_a_page_that_reconnects_is_not_missing() -> None:
    watch = PageWatch(0.0)
    watch.should_reload(["31.0.2"], 100.0)
    assert not watch.should_reload([], 100.0 + MISSING_AFTER_S / 2)
    assert watch.should_reload([], 100.0 + MISSING_AFTER_S)


def test_live_without_a_page_is_an_alarm_and_a_browser_is_not_obs() -> None:
    watch = PageWatch(0.0)
    assert watch.alarm([], True, MISSING_AFTER_S / 2) == ""
    assert watch.alarm([], True, MISSING_AFTER_S) == NO_PAGE
    assert watch.alarm([""], True, MISSING_AFTER_S) == NO_PAGE_IN_OBS
    assert watch.alarm(["31.0.2"], True, MISSING_AFTER_S) == ""
    assert watch.alarm([], False, MISSING_AFTER_S) == ""


async def test_the_page_on_disk_is_installed_and_loaded_again_when_it_does_not_come(
    with_browser: RealObs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.integrations.obs.page_watchdog.MISSING_AFTER_S", 0.5)
    monkeypatch.setattr("streamer.integrations.obs.page_watchdog.CHECK_EVERY_S", 0.1)
    refreshed = with_browser.logged("page streamer overlay: refreshed")
    async with running_obs(with_browser.port, tmp_path, install=True) as running:
        await running.ready()
        await until(lambda: with_browser.items() == ["streamer background", "streamer overlay"])
        settings = with_browser.settings("streamer overlay")
        assert settings["local_file"] == str(tmp_path / "obs" / "overlay.html")
        assert (settings["width"], settings["height"], settings["is_local_file"]) == (WIDTH, HEIGHT, True)
        await until(lambda: with_browser.logged("page streamer overlay: refreshed") == refreshed + 1)
        assert with_browser.logged("page streamer background: refreshed") > 0
        running.pages.append("29.0.2")
        await asyncio.sleep(0.3)
    assert with_browser.logged("page streamer overlay: refreshed") == refreshed + 1


async def test_a_page_that_is_there_is_never_loaded_again(
    with_browser: RealObs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.integrations.obs.page_watchdog.MISSING_AFTER_S", 0.2)
    monkeypatch.setattr("streamer.integrations.obs.page_watchdog.CHECK_EVERY_S", 0.05)
    refreshed = with_browser.logged("refreshed")
    async with running_obs(with_browser.port, tmp_path, install=True) as running:
        running.pages.append("29.0.2")
        await running.ready()
        await asyncio.sleep(0.8)
    assert with_browser.logged("refreshed") == refreshed


async def test_recording_without_a_page_is_an_alarm_until_one_comes(
    with_browser: RealObs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("streamer.integrations.obs.page_watchdog.MISSING_AFTER_S", 0.3)
    monkeypatch.setattr("streamer.integrations.obs.page_watchdog.CHECK_EVERY_S", 0.05)
    async with running_obs(with_browser.port, tmp_path) as running:
        await running.ready()
        with_browser.ask("StartRecord")
        await until(lambda: running.state == "alarm")
        assert running.detail == NO_PAGE
        running.pages.append("29.0.2")
        await until(lambda: running.state == "ready")
        with_browser.ask("StopRecord")
        await until(lambda: (NoticeKind.RECORDING_OFF, "") in running.notices())
    assert caplog.text.count(NO_PAGE) == 1
