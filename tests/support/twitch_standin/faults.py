"""What a route answers instead of the truth: an error status for the next few calls, possibly after a delay."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def problem(status: int, message: str, headers: Mapping[str, str] | None = None, **more: object) -> JSONResponse:
    """Answer as Helix does when something is wrong."""
    body = {"error": REASONS[status], "status": status, "message": message, **more}
    return JSONResponse(body, status, dict(headers or {}))


@dataclass
class Fault:
    """One thing that goes wrong ``times`` times on calls whose path ends so; ``done``: after the call took effect."""

    method: str
    path: str
    status: int
    times: int = 1
    delay_s: float = 0.0
    done: bool = False
    only: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Faults:
    """The faults to come; ``calls`` remembers every call that was made as ``METHOD /path``."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._coming: list[Fault] = []

    def inject(self, method: str, path: str, status: int, times: int = 1, **more: object) -> Fault:
        """Have the next ``times`` calls answered with ``status``; ``only``: just those whose body or query has it."""
        fault = Fault(method, path, status, times, **more)  # type: ignore[arg-type]
        self._coming.append(fault)
        return fault

    def clear(self) -> None:
        """Remove every fault."""
        self._coming.clear()

    def count(self, call: str) -> int:
        """Count the calls that start with this."""
        return sum(made.startswith(call) for made in self.calls)

    async def before(self, request: Request) -> Fault | None:
        """Record a call and return its fault, if it has one."""
        self.calls.append(f"{request.method} {request.url.path}")
        if not self._coming:
            return None
        content = f"{request.url.query} {(await request.body()).decode('utf-8', 'replace')}"
        for fault in self._coming:
            if fault.method == request.method and request.url.path.endswith(fault.path) and fault.only in content:
                fault.times -= 1
                if fault.times <= 0:
                    self._coming.remove(fault)
                await asyncio.sleep(fault.delay_s)
                return fault
        return None


def answer_of(fault: Fault) -> Response:
    """Answer with the fault."""
    return problem(fault.status, "injected", fault.headers)
