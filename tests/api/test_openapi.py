"""The HTTP API is a promise: its document changes only when somebody means to change it.

After a change that is meant, and noted in CHANGELOG.md, write the new document to golden/openapi.json: it is
``contract()`` of what /api/openapi.json answers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.real_program import Remote

GOLDEN = Path(__file__).parent / "golden" / "openapi.json"

# FastAPI's own schemas differ between its versions.
NOT_OURS = ("HTTPValidationError", "ValidationError")


def without_prose(value: Any) -> Any:
    """Drop the descriptions: a sentence may be improved."""
    if isinstance(value, dict):
        return {key: without_prose(inner) for key, inner in value.items()
                if not (key == "description" and isinstance(inner, str))}  # fmt: skip
    return [without_prose(inner) for inner in value] if isinstance(value, list) else value


def contract(document: dict[str, Any]) -> dict[str, Any]:
    """Return the operations and the schemas that clients rely on."""
    schemas = {name: schema for name, schema in document["components"]["schemas"].items() if name not in NOT_OURS}
    found: dict[str, Any] = without_prose({"paths": document["paths"], "schemas": schemas})
    return found


async def test_every_operation_and_schema_is_as_promised(program: Remote) -> None:
    now = contract((await program.client.get("/api/openapi.json")).json())
    promised = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for part in ("paths", "schemas"):
        assert sorted(now[part]) == sorted(promised[part])
        for name, value in promised[part].items():
            assert now[part][name] == value, name


async def test_every_operation_and_schema_is_described(program: Remote) -> None:
    document = (await program.client.get("/api/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), (method, path)
    for name, schema in document["components"]["schemas"].items():
        assert name in NOT_OURS or schema.get("description"), name


async def test_every_route_that_takes_a_body_says_which_header_is_missing(program: Remote) -> None:
    paths = (await program.client.get("/api/openapi.json")).json()["paths"]
    posts = [path for path, methods in paths.items() if "requestBody" in methods.get("post", {})]
    posts = [path for path in posts if not path.startswith("/v1/")]  # in OpenAI's shape: tests/api/v1
    assert posts == ["/api/v1/triggers", "/api/v1/drafts", "/api/v1/bans"]
    sent: dict[str, Any] = {"content": b'{"text": "!bg lake"}'}
    sent["headers"] = {"content-type": "application/x-www-form-urlencoded"}
    for path in posts:
        answer = await program.client.post(path, **sent)
        assert answer.status_code == 422
        assert answer.json()["detail"].endswith("send a JSON object with the header Content-Type: application/json")
    # A route that takes no body ignores one.
    assert (await program.client.post("/api/v1/resume", **sent)).status_code == 204
