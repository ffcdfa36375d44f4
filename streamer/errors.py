"""The tree of exceptions. Outcomes are values; only faults are raised.

StreamerError
├── ConfigError        config.yaml, the environment or an option is wrong; names the key, the line and the fix
├── PluginError        a module named by ``use:`` is missing, or does not offer what its seam asks for
├── StoreError         the state folder or its database cannot be used
│   └── AlreadyRunning       another program holds the state folder
├── ListenError        the address cannot be bound
├── ApiError           the running program did not do what the command line asked of it
├── SeveralPeople      a name means several people, and a command needs one
├── ObsError           OBS did not do what was asked of it
│   ├── ObsAway              no OBS answers: it is not running, it went away, it is too slow, or the password is wrong
│   └── ObsRefused           OBS refused the request, with a status code of obs-websocket
├── TwitchError        Twitch's API failed or refused; status 0 means that it could not be reached
│   ├── LoginError           nobody is logged in, or the login has ended; only a new login helps
│   └── MissingScope         the login does not cover this; the feature stops, the others go on
└── BackendError       a picture could not be drawn; the request fails, the program goes on
    ├── BackendUnavailable   the backend cannot run on this machine at all (no weights, no GPU, no memory)
    ├── BackendDied          the generator process ended while drawing
    │   └── BackendLost          ... for a reason outside the picture: it was killed, or the connection to it was lost
    ├── Unsupported          this backend cannot do what the request asks, for example an edit
    └── ContentRefused       whoever draws will not draw this text or change this picture
"""

from __future__ import annotations

import os
import shlex
import subprocess  # nosec B404
from collections.abc import Iterator, Mapping, Sequence


def in_words(error: BaseException) -> str:
    """Return the message of an exception, or its class name if it has none, like TimeoutError."""
    return str(error).strip() or type(error).__name__


def shell_line(words: Sequence[str], *, windows: bool = os.name == "nt") -> str:
    """Return a command as somebody can paste it into a shell, whatever stands in its words."""
    return subprocess.list2cmdline(words) if windows else shlex.join(words)


class StreamerError(Exception):
    """The base class of everything that this program raises on purpose."""


class ConfigError(StreamerError):
    """A key, option or argument is wrong: which, on which line, and what to write instead."""

    def __init__(self, key: str, problem: str, *, line: int | None = None, fix: str = "", path: str = "") -> None:
        super().__init__(key, problem)
        self.key, self.problem, self.line, self.fix, self.path = key, problem, line, fix, path

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line) if part)
        head = f"{place}: " if place else ""
        return f"{head}{self.key}: {self.problem}" + (f"; {self.fix}" if self.fix else "")


class PluginError(StreamerError):
    """A plug-in cannot be used: of which kind, by which name, and why."""

    def __init__(self, kind: str, name: str, problem: str) -> None:
        super().__init__(kind, name, problem)
        self.kind, self.name, self.problem = kind, name, problem

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}': {self.problem}"


class StoreError(StreamerError):
    """A path of the state folder cannot be used: which, and why."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class AlreadyRunning(StoreError):
    """A program runs on this state folder: its process id and address, as far as they are known (0 and "")."""

    def __init__(self, path: str, pid: int, url: str) -> None:
        known = [f"process {pid}"] * bool(pid) + [url] * bool(url)
        who = f" ({', '.join(known)})" if known else ""
        fix = "stop it first, or set STREAMER_HOME to another folder"
        super().__init__(path, f"streamer is running with this state folder{who}; {fix}")
        self.pid, self.url = pid, url


class ListenError(StreamerError):
    """An address cannot be bound: which, by whom it is taken if that is known, and which file can change it."""

    def __init__(self, host: str, port: int, problem: str, config_file: str = "config.yaml") -> None:
        super().__init__(host, port, problem)
        self.host, self.port, self.problem, self.config_file = host, port, problem, config_file

    def __str__(self) -> str:
        return (
            f"cannot listen on {self.host}:{self.port}: {self.problem}; "
            f"set server.port in {self.config_file} or STREAMER_PORT to a free one"
        )


class ApiError(StreamerError):
    """The running program did not do what the command line asked of it: at which address, why, and what to do."""

    def __init__(self, url: str, problem: str, fix: str) -> None:
        super().__init__(url, problem, fix)
        self.url, self.problem, self.fix = url, problem, fix

    def __str__(self) -> str:
        return f"the program at {self.url or 'an unknown address'} {self.problem}; {self.fix}"


class SeveralPeople(StreamerError):
    """A name means several people; the message lists them."""


class ObsError(StreamerError):
    """OBS did not do what was asked of it."""


class ObsAway(ObsError):
    """No OBS answers; the message says why and what to do."""


class ObsRefused(ObsError):
    """OBS refused a request; ``code`` is the status code of obs-websocket, such as 600 for a missing resource."""

    def __init__(self, request: str, code: int, problem: str) -> None:
        super().__init__(request, code, problem)
        self.request, self.code, self.problem = request, code, problem

    def __str__(self) -> str:
        return f"OBS refused {self.request} ({self.code}): {self.problem}"


class TwitchError(StreamerError):
    """Twitch refused or could not be reached; ``body`` is the JSON of its answer, if there was one."""

    def __init__(self, status: int, problem: str, body: Mapping[str, object] | None = None) -> None:
        super().__init__(status, problem)
        self.status, self.problem, self.body = status, problem, body or {}

    def __str__(self) -> str:
        return f"Twitch: {self.problem}" + (f" ({self.status})" if self.status else "")


class LoginError(TwitchError):
    """Nobody is logged in; the message says why and which command to run."""

    def __init__(self, problem: str) -> None:
        super().__init__(401, problem)

    def __str__(self) -> str:
        return self.problem


class MissingScope(TwitchError):
    """The login lacks a scope that the request needs."""


class BackendError(StreamerError):
    """A picture could not be drawn: why, and how to fix that if it is known."""

    def __init__(self, problem: str, *, fix: str = "") -> None:
        super().__init__(problem, fix)
        self.problem, self.fix = problem, fix

    def __str__(self) -> str:
        return f"{self.problem}; {self.fix}" if self.fix else self.problem


class BackendUnavailable(BackendError):
    """The backend cannot run on this machine at all."""


class BackendDied(BackendError):
    """The generator process ended while it was drawing."""


class BackendLost(BackendDied):
    """It was killed from outside, or the connection to it was lost: the picture can be drawn by another one."""


class Unsupported(BackendError):
    """This backend cannot do what the request asks."""


class ContentRefused(BackendError):
    """Whoever draws will not draw this text, or change this picture; the problem is a sentence for its viewer."""


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors inside a group, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error
