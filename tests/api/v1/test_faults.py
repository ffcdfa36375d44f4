"""Every error has OpenAI's shape, whoever raised it."""

from __future__ import annotations

import json

import pytest
from starlette.exceptions import HTTPException

from streamer.api.v1 import faults
from streamer.api.v1.faults import Fault, FaultKind, answer


@pytest.mark.parametrize(
    ("fault", "status", "kind", "code"),
    [
        (faults.no_key(), 401, FaultKind.INVALID, "invalid_api_key"),
        (faults.invalid("no", "n"), 400, FaultKind.INVALID, None),
        (faults.too_many_at_once(1), 429, FaultKind.RATE, "concurrency_limit_exceeded"),
        (faults.too_fast(3, 9), 429, FaultKind.RATE, "rate_limit_exceeded"),
        (faults.quota_used_up(3), 429, FaultKind.QUOTA, "insufficient_quota"),
        (faults.refused("no"), 400, FaultKind.REFUSED, "moderation_blocked"),
        (faults.not_drawn("no"), 500, FaultKind.SERVER, "not_drawn"),
        (faults.busy("no"), 503, FaultKind.SERVER, "unavailable"),
        (faults.late(60), 503, FaultKind.SERVER, "deadline_exceeded"),
    ],
)
def test_a_fault_has_a_status_a_type_and_a_code(fault: Fault, status: int, kind: FaultKind, code: str | None) -> None:
    found = answer(fault)
    error = json.loads(bytes(found.body))["error"]
    assert (found.status_code, error["type"], error["code"]) == (status, kind.value, code)
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]


def test_only_another_try_that_can_succeed_is_suggested() -> None:
    assert answer(faults.too_fast(3, 9)).headers["retry-after"] == "9"
    for fault in (faults.quota_used_up(3), faults.late(60)):
        assert answer(fault).headers["x-should-retry"] == "false"


@pytest.mark.parametrize(("raised", "status", "kind"), [(422, 400, FaultKind.INVALID), (503, 503, FaultKind.SERVER)])
def test_what_the_framework_raises_is_put_into_the_same_shape(raised: int, status: int, kind: FaultKind) -> None:
    found = answer(HTTPException(raised, "since: is no day", {"x-extra": "kept"}))
    assert (found.status_code, found.headers["x-extra"]) == (status, "kept")
    assert json.loads(bytes(found.body))["error"] == {
        "message": "since: is no day", "type": kind.value, "param": None, "code": None,
    }  # fmt: skip
