"""A browser is opened only where somebody sees its window."""

from __future__ import annotations

import webbrowser

import pytest

from streamer.integrations import web_browser

DESK = {"DISPLAY": ":0"}


@pytest.mark.parametrize(
    ("environ", "platform", "watches"),
    [
        (DESK, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({}, "win32", True),
        ({}, "darwin", True),
        ({**DESK, "SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}, "linux", False),
        ({"SSH_TTY": "/dev/ttys003"}, "darwin", False),
        ({**DESK, "CI": "true"}, "linux", False),
    ],
)
def test_a_window_is_seen_at_a_desk_and_not_over_ssh_in_ci_or_without_a_screen(
    environ: dict[str, str], platform: str, watches: bool
) -> None:
    assert web_browser.somebody_watches(environ, interactive=True, platform=platform) == watches
    assert not web_browser.somebody_watches(environ, interactive=False, platform=platform)


@pytest.mark.parametrize(
    ("kind", "environ", "usable"),
    [
        (webbrowser.GenericBrowser, {}, False),
        (webbrowser.GenericBrowser, {"BROWSER": "lynx %s"}, True),
        (webbrowser.BackgroundBrowser, {}, True),
    ],
)
def test_a_browser_of_text_takes_the_terminal_only_if_somebody_chose_it(
    monkeypatch: pytest.MonkeyPatch, kind: type[webbrowser.BaseBrowser], environ: dict[str, str], usable: bool
) -> None:
    monkeypatch.setattr(webbrowser, "get", lambda: kind("lynx"))
    assert web_browser.available(environ) == usable


def test_no_browser_at_all_is_no_error(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def none() -> None:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", none)
    assert not web_browser.available({})
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    web_browser.show("http://127.0.0.1:1/")
    assert "open the panel link yourself" in caplog.text
