"""How the disk of the state folder is doing: its free space, writes that failed, and whether it answers at all."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.interfaces import Health, HealthState

LOW_BYTES = 1_000_000_000
"""An evening's pictures, the database and its copies fit into this several times over: there is time to clean up."""
FULL_BYTES = 100_000_000
"""Nothing failed yet, and soon will."""
SILENT_S = 10.0
"""A disk that is only busy answers sooner; a network drive that went away does not answer for minutes."""
NAME = "store"


@dataclass(slots=True)
class DiskState:
    """What is known of the disk: the thread of the database writes it, the event loop reads it.

    ``fault`` says why the last write failed, and is empty once one succeeds. ``asked_at`` is when the question was
    asked that has no answer yet, in monotonic seconds.
    """

    free_bytes: int | None = None
    fault: str = ""
    failures: int = 0
    asked_at: float | None = None

    def failed(self, reason: str) -> None:
        """Note a call that failed."""
        self.fault, self.failures = reason, self.failures + 1

    def health(self, now: float) -> Health:
        """Return what the panel shows; ``now`` is monotonic seconds."""
        free = "" if self.free_bytes is None else f"{in_gb(self.free_bytes)} free"
        if self.asked_at is not None and now - self.asked_at > SILENT_S:
            silent = f"the disk has not answered for {now - self.asked_at:.0f} s; requests wait for it"
            return Health(NAME, HealthState.FAILED, silent)
        if self.fault:
            nothing = f"not saved, so no picture goes on air: {self.fault}"
            return Health(NAME, HealthState.FAILED, f"{nothing} ({free})" if free else nothing)
        if self.free_bytes is None or self.free_bytes >= LOW_BYTES:
            return Health(NAME, HealthState.READY, free)
        state = HealthState.LIMITED if self.free_bytes >= FULL_BYTES else HealthState.ALARM
        return Health(NAME, state, f"only {free}; a full disk stops the pictures: free some space")


def in_gb(size: int) -> str:
    """Write a size in bytes as people read it."""
    if size < 1_000_000_000:
        return f"{size / 1e6:.0f} MB"
    return f"{size / 1e9:.1f} GB" if size < 10_000_000_000 else f"{size / 1e9:.0f} GB"
