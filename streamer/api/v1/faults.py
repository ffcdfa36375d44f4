"""Errors of the picture API, in the shape in which programs that know OpenAI's expect them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

PREFIX = "/v1/"
_NO_RETRY = {"x-should-retry": "false"}


class FaultKind(StrEnum):
    """What programs tell errors apart by; the words are OpenAI's."""

    INVALID = "invalid_request_error"
    REFUSED = "image_generation_user_error"
    RATE = "requests"
    QUOTA = "insufficient_quota"
    SERVER = "server_error"


class Fault(HTTPException):
    """A request that gets no picture: why, which parameter is at fault, and a code for programs."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None,
        kind: FaultKind = FaultKind.INVALID, headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(status, message, dict(headers or {}))
        self.code, self.param, self.kind = code, param, kind

    def content(self) -> dict[str, object]:
        """Return the JSON of the error."""
        error = {"message": self.detail, "type": self.kind.value, "param": self.param, "code": self.code}
        return {"error": error}


def answer(error: HTTPException) -> Response:
    """Answer an error of the picture API; what the framework raised itself is put into the same shape."""
    fault = error if isinstance(error, Fault) else _of_framework(error)
    return JSONResponse(fault.content(), fault.status_code, fault.headers)


def _of_framework(error: HTTPException) -> Fault:
    status = 400 if error.status_code == 422 else error.status_code
    kind = FaultKind.SERVER if status >= 500 else FaultKind.INVALID
    return Fault(status, str(error.detail), kind=kind, headers=error.headers)


def no_key() -> Fault:
    """No valid key came with a request."""
    message = "send a valid API key as 'Authorization: Bearer ...'; 'streamer api-key add NAME' makes one"
    return Fault(401, message, code="invalid_api_key", headers={"www-authenticate": "Bearer"})


def invalid(message: str, param: str | None = None, code: str | None = None) -> Fault:
    """A parameter is wrong."""
    return Fault(400, message, param=param, code=code)


def too_many_at_once(limit: int) -> Fault:
    """A tenant has as many requests open as it may."""
    message = f"this key may have {limit} {'request' if limit == 1 else 'requests'} open at once; wait for one to end"
    return Fault(429, message, code="concurrency_limit_exceeded", kind=FaultKind.RATE, headers={"retry-after": "1"})


def too_fast(limit: int, wait_s: int) -> Fault:
    """A tenant has asked for as many pictures within a minute as it may."""
    message = f"this key may ask for {limit} pictures a minute; try again in {wait_s} s"
    headers = {"retry-after": str(wait_s)}
    return Fault(429, message, code="rate_limit_exceeded", kind=FaultKind.RATE, headers=headers)


def quota_used_up(limit: int) -> Fault:
    """A tenant has got as many pictures this month as it may."""
    message = f"this key may get {limit} pictures a month, and has; the month ends at midnight UTC of its last day"
    return Fault(429, message, code="insufficient_quota", kind=FaultKind.QUOTA, headers=_NO_RETRY)


def refused(reason: str) -> Fault:
    """The gate refused the text or the picture; another try would end the same."""
    message = f"the request was refused: {reason}"
    return Fault(400, message, code="moderation_blocked", kind=FaultKind.REFUSED)


def not_drawn(reason: str) -> Fault:
    """The generator could not draw."""
    return Fault(500, f"the picture could not be drawn: {reason}", code="not_drawn", kind=FaultKind.SERVER)


def busy(reason: str) -> Fault:
    """Nothing is drawn now, or too much waits; later it may be otherwise."""
    headers = {"retry-after": "5"}
    return Fault(503, reason, code="unavailable", kind=FaultKind.SERVER, headers=headers)


def late(wait_s: float) -> Fault:
    """A request waited for as long as it may."""
    message = f"the picture was not drawn within {wait_s:g} s (picture_api.longest_wait_s)"
    return Fault(503, message, code="deadline_exceeded", kind=FaultKind.SERVER, headers=_NO_RETRY)
