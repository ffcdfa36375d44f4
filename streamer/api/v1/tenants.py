"""Who draws by key, and whether a tenant may ask for more pictures now. No I/O; times are arguments."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from streamer.api.auth import digest
from streamer.api.v1 import faults
from streamer.api.v1.faults import Fault
from streamer.api.v1.options import PictureApiOptions
from streamer.storage.tenants import StoredTenant, TenantLimits, Usage, day_of

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one tenant may do, with nothing left open."""

    per_minute: int
    per_month: int
    at_once: int
    gpu_second_price: float
    gated: bool


def resolved(own: TenantLimits, options: PictureApiOptions) -> Limits:
    """Return a tenant's own limits, and the config's where it has none."""

    def pick(value: float | None, default: float) -> float:
        return default if value is None else value

    return Limits(
        int(pick(own.per_minute, options.per_minute)),
        int(pick(own.per_month, options.per_month)),
        int(pick(own.at_once, options.at_once)),
        pick(own.gpu_second_price, options.gpu_second_price),
        options.gated if own.gated is None else own.gated,
    )


class Tenant:
    """One tenant while the program runs: its limits, and what it has asked for lately."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name, self.limits = name, limits
        self.open_requests = 0
        self._asked: deque[float] = deque()
        self._month, self._got, self._reserved = "", 0, 0

    def left_this_minute(self, now: float) -> int:
        """Return how many more pictures the tenant may ask for now (monotonic seconds)."""
        while self._asked and self._asked[0] <= now - MINUTE_S:
            self._asked.popleft()
        return max(0, self.limits.per_minute - len(self._asked))

    def got_this_month(self, today: str) -> int:
        """Return how many pictures the tenant has got in the month of a day."""
        return self._got if self._month == today[:7] else 0

    def count(self, used: Usage) -> None:
        """Count pictures that the tenant has got on a day."""
        if used.day[:7] > self._month:
            self._month, self._got = used.day[:7], 0
        if used.day[:7] == self._month:
            self._got += used.pictures

    @contextmanager
    def asking(self, pictures: int, now: float, today: str) -> Iterator[None]:
        """Hold a place for a request until it has ended; raise a Fault when the tenant may not ask for it now."""
        if (objection := self._objection(pictures, now, today)) is not None:
            raise objection
        self._asked.extend([now] * pictures)
        self.open_requests += 1
        self._reserved += pictures
        try:
            yield
        finally:
            self.open_requests -= 1
            self._reserved -= pictures

    def _objection(self, pictures: int, now: float, today: str) -> Fault | None:
        limits = self.limits
        if limits.per_month and self.got_this_month(today) + self._reserved + pictures > limits.per_month:
            return faults.quota_used_up(limits.per_month)
        if self.open_requests >= limits.at_once:
            return faults.too_many_at_once(limits.at_once)
        if pictures > limits.per_minute:
            return faults.invalid(f"this key may ask for {limits.per_minute} pictures a minute", "n")
        if pictures > self.left_this_minute(now):
            # Enough of the oldest have to be a minute old; a lowered limit may ask for more of them.
            last = self._asked[len(self._asked) + pictures - limits.per_minute - 1]
            return faults.too_fast(limits.per_minute, math.ceil(last + MINUTE_S - now))
        return None


class Tenants:
    """The tenants whose keys are valid now; they are looked up by the digest of a key."""

    def __init__(self, options: PictureApiOptions) -> None:
        self._options = options
        self._known: dict[str, Tenant] = {}
        self._by_digest: Mapping[str, Tenant] = {}

    def replace(self, stored: Iterable[StoredTenant], keys: Mapping[str, str]) -> None:
        """Take over what the database says; what a tenant has asked for lately stays."""
        for one in stored:
            limits = resolved(one.limits, self._options)
            tenant = self._known.setdefault(one.name, Tenant(one.name, limits))
            tenant.limits = limits
        self._by_digest = {key: self._known[name] for key, name in keys.items() if name in self._known}

    def restore(self, used: Iterable[Usage]) -> None:
        """Count what was used before this run; call it once, after the first ``replace``."""
        for one in used:
            if one.tenant in self._known:
                self._known[one.tenant].count(one)

    def of(self, key: str) -> Tenant | None:
        """Return whose key it is, None when it is nobody's."""
        return self._by_digest.get(digest(key)) if key else None


def month_start(moment: float) -> str:
    """Return the first day of the month of a moment (seconds since the epoch)."""
    return f"{day_of(moment)[:7]}-01"
