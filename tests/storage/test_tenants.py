"""Tenants, their keys and their usage."""

from __future__ import annotations

from streamer.storage.store import Store
from streamer.storage.tenants import TenantLimits, Usage, day_of, total


async def test_a_key_belongs_to_a_tenant_until_it_is_revoked_and_limits_stay(store: Store) -> None:
    await store.tenants.add_key("first", "shop", TenantLimits(per_minute=5, gated=False))
    await store.tenants.add_key("second", "shop", TenantLimits(at_once=1))
    (shop,) = await store.tenants.all()
    assert (shop.name, shop.keys) == ("shop", 2)
    assert shop.limits == TenantLimits(per_minute=5, at_once=1, gated=False)
    assert await store.tenants.keys() == {"first": "shop", "second": "shop"}
    assert await store.tenants.revoke("shop") == 2
    assert await store.tenants.revoke("shop") == 0
    assert await store.tenants.keys() == {}
    (shop,) = await store.tenants.all()
    assert (shop.keys, shop.limits.per_minute) == (0, 5)


async def test_what_is_used_adds_up_by_day_and_tenant(store: Store) -> None:
    today, yesterday = "2026-11-29", "2026-11-28"
    for used in (
        Usage("shop", today, pictures=1, gpu_s=0.5, cost=0.01),
        Usage("shop", today, refused=1),
        Usage("shop", yesterday, pictures=2, gpu_s=1.0, cost=0.02),
        Usage("zoo", today, failed=1),
    ):
        await store.tenants.note(used)
    assert await store.tenants.usage(today) == [
        Usage("shop", today, 1, 1, 0, 0.5, 0.01),
        Usage("zoo", today, failed=1),
    ]
    both = await store.tenants.usage(yesterday, "shop")
    assert [one.day for one in both] == [yesterday, today]
    (added,) = total(both)
    assert (added.day, added.pictures, added.refused, round(added.cost, 6)) == (yesterday, 3, 1, 0.03)


def test_a_day_is_that_of_utc() -> None:
    assert day_of(86_399) == "1970-01-01"
    assert day_of(86_400) == "1970-01-02"
