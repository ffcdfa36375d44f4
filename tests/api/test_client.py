"""The command line asks the running program, and notices when there is none or another one."""

from __future__ import annotations

import pytest

from streamer.api import client
from streamer.errors import ApiError
from tests.support.real_program import OPERATOR, Remote, free_port


async def test_without_a_running_program_nothing_is_asked() -> None:
    assert await client.forget(f"http://127.0.0.1:{free_port()}", "token", "1") is None


async def test_the_running_program_forgets(served: Remote) -> None:
    assert await client.forget(served.url, OPERATOR, "nobody") == 0


async def test_another_program_at_the_address_is_named(served: Remote) -> None:
    with pytest.raises(ApiError, match="answers 401; stop it, or set STREAMER_OPERATOR_TOKEN"):
        await client.forget(served.url, "not the token of that program", "1")
