"""A tenant may ask for so many pictures a minute, a month and at once."""

from __future__ import annotations

import pytest

from streamer.api.auth import digest
from streamer.api.v1.faults import Fault
from streamer.api.v1.options import PictureApiOptions
from streamer.api.v1.tenants import Limits, Tenant, Tenants, month_start, resolved
from streamer.storage.tenants import StoredTenant, TenantLimits, Usage

TODAY = "2026-11-29"


def tenant(per_minute: int = 3, per_month: int = 0, at_once: int = 5) -> Tenant:
    return Tenant("shop", Limits(per_minute, per_month, at_once, 0.0, True))


def refusal(tenant: Tenant, pictures: int = 1, now: float = 0.0, today: str = TODAY) -> Fault:
    with pytest.raises(Fault) as caught, tenant.asking(pictures, now, today):
        pass
    return caught.value


def asked(tenant: Tenant, pictures: int = 1, now: float = 0.0) -> None:
    with tenant.asking(pictures, now, TODAY):
        pass


def test_what_a_tenant_has_no_limit_of_its_own_for_is_the_config_s() -> None:
    options = PictureApiOptions(per_minute=7, gated=True)
    assert resolved(TenantLimits(at_once=1, gated=False), options) == Limits(7, 1000, 1, 0.0, False)


def test_a_picture_counts_for_a_minute_and_the_answer_says_how_long_to_wait() -> None:
    shop = tenant()
    asked(shop, 2, now=100.0)
    assert shop.left_this_minute(100.0) == 1
    asked(shop, 1, now=130.0)
    fault = refusal(shop, now=131.0)
    assert (fault.status_code, fault.code, fault.headers) == (429, "rate_limit_exceeded", {"retry-after": "29"})
    assert refusal(shop, 3, now=131.0).headers == {"retry-after": "59"}
    asked(shop, 2, now=160.0)


def test_a_limit_that_was_lowered_makes_a_tenant_wait_for_what_it_asked_before() -> None:
    shop = tenant(per_minute=3)
    for now in (0.0, 10.0, 20.0):
        asked(shop, now=now)
    shop.limits = Limits(1, 0, 5, 0.0, True)
    assert refusal(shop, now=30.0).headers == {"retry-after": "50"}


def test_more_pictures_in_one_request_than_a_minute_allows_are_an_invalid_parameter() -> None:
    fault = refusal(tenant(), 4)
    assert (fault.status_code, fault.param) == (400, "n")


def test_a_place_is_held_until_the_request_has_ended() -> None:
    shop = tenant(at_once=1)
    with shop.asking(1, 0.0, TODAY):
        assert refusal(shop).code == "concurrency_limit_exceeded"
    asked(shop)
    assert shop.open_requests == 0


def test_pictures_that_are_being_drawn_count_towards_the_month() -> None:
    shop = tenant(per_month=3)
    shop.count(Usage("shop", TODAY, pictures=2))
    with shop.asking(1, 0.0, TODAY):
        fault = refusal(shop)
    assert (fault.status_code, fault.code, fault.headers) == (429, "insufficient_quota", {"x-should-retry": "false"})
    asked(shop)


def test_a_new_month_begins_with_nothing_used() -> None:
    shop = tenant(per_month=1)
    shop.count(Usage("shop", TODAY, pictures=1))
    assert refusal(shop).code == "insufficient_quota"
    with shop.asking(1, 0.0, "2026-12-01"):
        assert shop.got_this_month("2026-12-01") == 0


def test_a_refused_request_uses_up_nothing() -> None:
    shop = tenant(at_once=1)
    with shop.asking(1, 0.0, TODAY):
        refusal(shop)
        refusal(shop)
    assert shop.left_this_minute(0.0) == 2


def test_a_key_is_its_tenant_s_until_it_is_revoked_and_new_limits_count_at_once() -> None:
    tenants = Tenants(PictureApiOptions())
    stored = StoredTenant("shop", TenantLimits(per_minute=1), 0.0, 1)
    tenants.replace([stored], {digest("key"): "shop"})
    tenants.restore([Usage("shop", TODAY, pictures=4), Usage("gone", TODAY, pictures=9)])
    shop = tenants.of("key")
    assert shop is not None
    asked(shop)
    tenants.replace([StoredTenant("shop", TenantLimits(per_minute=2), 0.0, 1)], {digest("key"): "shop"})
    assert tenants.of("key") is shop
    assert (shop.left_this_minute(0.0), shop.got_this_month(TODAY)) == (1, 4)
    tenants.replace([stored], {})
    assert tenants.of("key") is None
    assert tenants.of("") is None


def test_usage_is_restored_from_the_first_of_the_month() -> None:
    assert month_start(86_400 * 40) == "1970-02-01"
