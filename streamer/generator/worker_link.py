"""What joins the program to a worker: the pipes of a process, or a connection to another computer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from streamer.generator.ipc import WorkerCommand, WorkerReply
from streamer.generator.restart_policy import WorkerExit


class WorkerLink(Protocol):
    """Own one worker, or the connection to one, from start to end; whoever launches one awaits ``end``."""

    @property
    def pid(self) -> int | None:
        """Return the process id, if the process runs on this computer."""
        ...

    def send(self, command: WorkerCommand) -> None:
        """Queue a command without waiting; if the worker is gone, ``receive`` says so."""
        ...

    async def receive(self) -> WorkerReply | None:
        """Wait for the next reply; None when the worker is gone."""
        ...

    def leave(self) -> None:
        """Make ``receive`` return None, as if the worker were gone, so that its owner ends it."""
        ...

    async def end(self) -> int | WorkerExit:
        """End it, and return its exit status or what became of the connection; nothing of it stays behind."""
        ...

    def kill(self) -> None:
        """End it at once: it hangs."""
        ...


class NotStarted(Exception):
    """The worker cannot be started or reached; the message is a clause for people."""


Launch = Callable[[], Awaitable[WorkerLink]]
"""Starts or reaches a worker; raises NotStarted."""
