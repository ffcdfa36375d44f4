"""Opens a page in the web browser of the person who sits at this computer, if there are such a person and a browser."""

from __future__ import annotations

import logging
import sys
import webbrowser
from collections.abc import Mapping

log = logging.getLogger(__name__)

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
ELSEWHERE = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "CI")
"""Set where nobody looks at this computer's screen."""


def somebody_watches(environ: Mapping[str, str], *, interactive: bool, platform: str = sys.platform) -> bool:
    """Tell whether a window would be seen: a terminal that somebody types in, on this computer, with a screen."""
    if not interactive or any(environ.get(name) for name in ELSEWHERE):
        return False
    has_screen = platform in ("win32", "darwin") or any(environ.get(name) for name in DISPLAYS)
    return has_screen


def available(environ: Mapping[str, str]) -> bool:
    """Tell whether there is a browser with windows: one made of text would take over the terminal."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    return bool(environ.get("BROWSER")) or type(browser) is not webbrowser.GenericBrowser


def show(url: str) -> None:
    """Open an address; this may block for some seconds. A browser that does not start is logged."""
    try:
        opened = webbrowser.open(url)
    except (OSError, webbrowser.Error) as error:
        log.warning("the browser did not start: %s; open the panel link yourself", error)
        return
    if not opened:
        log.warning("the browser did not start; open the panel link yourself")
