"""The commands about programs that draw by key: ``streamer api-key add``, ``list``, ``usage`` and ``revoke``."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from streamer import paths

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.storage.store import Store
    from streamer.storage.tenants import TenantLimits, Usage

KEY_HEAD = ("tenant", "keys", "a minute", "a month", "at once", "a GPU second", "gate")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
USAGE_HEAD = ("tenant", "since", "pictures", "refused", "failed", "GPU seconds", "cost")


def _opened(environ: Mapping[str, str]) -> tuple[Config, Store]:
    from streamer import config_checks
    from streamer.storage.store import Store

    where = paths.place(environ)
    config, _ = config_checks.checked_config(where, environ)
    return config, Store.at(where.home, config.store)


async def add(environ: Mapping[str, str], tenant: str, limits: TenantLimits) -> int:
    """Make a key for a tenant and show it, this once; limits that are given replace the tenant's own."""
    from streamer.api.auth import digest, new_api_key

    config, store = _opened(environ)
    key = new_api_key()
    async with store.opened() as opened:
        await opened.tenants.add_key(digest(key), tenant, limits)
    print(key)
    print(f"This is shown once. A running program accepts it within a second, at {config.server.url}/v1")
    return 0


async def list_all(environ: Mapping[str, str]) -> int:
    """List the tenants and what each of them may do."""
    from streamer.api.v1.tenants import resolved

    config, store = _opened(environ)
    async with store.opened() as opened:
        tenants = await opened.tenants.all()
    print(*KEY_HEAD, sep="\t")
    for tenant in tenants:
        limits = resolved(tenant.limits, config.picture_api)
        print(
            tenant.name, tenant.keys, limits.per_minute, limits.per_month or "any", limits.at_once,
            f"{limits.gpu_second_price:g} {config.picture_api.currency}", "yes" if limits.gated else "no", sep="\t",
        )  # fmt: skip
    return 0


async def usage(environ: Mapping[str, str], since: str, *, by_day: bool) -> int:
    """Report what each tenant has used, in all or by day; ``since`` is a span, or a day in UTC."""
    from streamer.storage.audit import parse_since
    from streamer.storage.tenants import day_of, total

    config, store = _opened(environ)
    first = since if _DAY.fullmatch(since) else day_of(parse_since(since, time.time()))
    async with store.opened() as opened:
        used = await opened.tenants.usage(first)
    print(*USAGE_HEAD, sep="\t")
    for one in used if by_day else total(used):
        print(*_cells(one, config.picture_api.currency), sep="\t")
    return 0


def _cells(used: Usage, currency: str) -> tuple[object, ...]:
    cost = f"{used.cost:.4f} {currency}"
    return used.tenant, used.day, used.pictures, used.refused, used.failed, f"{used.gpu_s:.2f}", cost


async def revoke(environ: Mapping[str, str], tenant: str) -> int:
    """Revoke every key of a tenant; what it has used stays in the reports."""
    _, store = _opened(environ)
    async with store.opened() as opened:
        count = await opened.tenants.revoke(tenant)
    print(f"{count} revoked")
    return 0
