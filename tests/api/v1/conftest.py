"""Tenants of the running program, and OpenAI's own client that speaks for one of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

import httpx
import openai
import pytest

from streamer.api.auth import digest, new_api_key
from streamer.storage.store import Store, StoreOptions
from streamer.storage.tenants import TenantLimits
from tests.support.real_program import Remote
from tests.support.tenants import Key, Tenant

ROOMY = TenantLimits(per_minute=1000, per_month=0, at_once=8, gpu_second_price=0.5)
LIMITS: Mapping[str, TenantLimits] = {
    "roomy": ROOMY,
    "counted": ROOMY,
    "reported": ROOMY,
    "revoked": ROOMY,
    "ungated": TenantLimits(gated=False),
    "slow": TenantLimits(per_minute=1),
    "small": TenantLimits(per_month=1),
}
"""What each tenant of the tests may do."""


@pytest.fixture(scope="session")
def keys(served: Remote) -> Mapping[str, str]:
    """Make a key for every tenant, and wait until the program takes them."""
    made = {name: new_api_key() for name in LIMITS}

    async def add() -> None:
        async with Store.at(served.home, StoreOptions()).opened() as store:
            for name, key in made.items():
                await store.tenants.add_key(digest(key), name, LIMITS[name])

    asyncio.run(add())
    deadline = time.monotonic() + 30
    headers = {"authorization": f"Bearer {made['small']}"}
    while httpx.get(f"{served.url}/v1/models", headers=headers).is_error:
        assert time.monotonic() < deadline, "the program does not take the keys"
        time.sleep(0.05)
    return made


@pytest.fixture
async def tenant(program: Remote, keys: Mapping[str, str]) -> AsyncIterator[Tenant]:
    """Give a test the tenants by name."""
    clients: list[openai.AsyncOpenAI] = []

    def named(name: str) -> Key:
        client = openai.AsyncOpenAI(base_url=f"{program.url}/v1", api_key=keys[name], max_retries=0)
        clients.append(client)
        return Key(name, keys[name], client)

    yield named
    for client in clients:
        await client.close()


@pytest.fixture
def shop(tenant: Tenant) -> Key:
    """Return a tenant with room for whatever a test asks."""
    return tenant("roomy")
