"""The tables of the picture API: who may draw by key, the digests of their keys, and what each of them has used."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import dataclass

from streamer.storage.database import Database, execute


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """What one tenant may do; None is what ``picture_api`` in config.yaml says for everybody."""

    per_minute: int | None = None
    per_month: int | None = None
    at_once: int | None = None
    gpu_second_price: float | None = None
    gated: bool | None = None


@dataclass(frozen=True, slots=True)
class StoredTenant:
    """A tenant: a program, or a customer, that draws by key; ``keys`` is how many keys are valid."""

    name: str
    limits: TenantLimits
    created_at: float
    keys: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tenant used on a day, or in the days of a report: pictures by their end, GPU seconds and their price."""

    tenant: str
    day: str
    pictures: int = 0
    refused: int = 0
    failed: int = 0
    gpu_s: float = 0.0
    cost: float = 0.0


class TenantRepository:
    """Reads and writes tenants, their keys and their usage; of a key only the digest is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_key(self, digest: str, tenant: str, limits: TenantLimits) -> asyncio.Future[None]:
        """Record a new key; limits that are given replace those that the tenant had."""
        return self._database.run(lambda db: _add_key(db, digest, tenant, limits))

    def all(self) -> asyncio.Future[list[StoredTenant]]:
        """List the tenants by name, also those without a key."""
        return self._database.run(_all)

    def keys(self) -> asyncio.Future[dict[str, str]]:
        """Map the digest of each valid key to its tenant."""
        return self._database.run(lambda db: dict(db.execute("SELECT digest, tenant FROM api_keys").fetchall()))

    def revoke(self, tenant: str) -> asyncio.Future[int]:
        """Delete every key of a tenant and return how many there were; limits and usage stay."""
        return self._database.run(lambda db: db.execute("DELETE FROM api_keys WHERE tenant = ?", (tenant,)).rowcount)

    def note(self, used: Usage) -> asyncio.Future[None]:
        """Add to what a tenant has used on a day."""
        return self._database.write(
            """
            INSERT INTO api_usage VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, day) DO UPDATE SET
              pictures = pictures + excluded.pictures, refused = refused + excluded.refused,
              failed = failed + excluded.failed, gpu_s = gpu_s + excluded.gpu_s, cost = cost + excluded.cost
            """,
            (used.tenant, used.day, used.pictures, used.refused, used.failed, used.gpu_s, used.cost),
        )

    def usage(self, since: str, tenant: str | None = None) -> asyncio.Future[list[Usage]]:
        """Return what was used on each day from ``since`` on, by everybody or by one tenant, oldest first."""
        statement = "SELECT * FROM api_usage WHERE day >= ? AND (? IS NULL OR tenant = ?) ORDER BY day, tenant"
        return self._database.run(lambda db: [Usage(*row) for row in db.execute(statement, (since, tenant, tenant))])


def _add_key(db: sqlite3.Connection, digest: str, tenant: str, limits: TenantLimits) -> None:
    row = (
        tenant, limits.per_minute, limits.per_month, limits.at_once, limits.gpu_second_price, limits.gated, time.time()
    )  # fmt: skip
    statement = """
        INSERT INTO tenants VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET
          per_minute = coalesce(excluded.per_minute, per_minute), per_month = coalesce(excluded.per_month, per_month),
          at_once = coalesce(excluded.at_once, at_once), gated = coalesce(excluded.gated, gated),
          gpu_second_price = coalesce(excluded.gpu_second_price, gpu_second_price)
        """
    execute(db, statement, row)
    execute(db, "INSERT INTO api_keys VALUES (?, ?, ?)", (digest, tenant, time.time()))


def _all(db: sqlite3.Connection) -> list[StoredTenant]:
    statement = """
        SELECT tenants.*, count(digest) FROM tenants LEFT JOIN api_keys ON tenant = name GROUP BY name ORDER BY name
        """
    return [_tenant(*row) for row in db.execute(statement)]


def _tenant(
    name: str, per_minute: int | None, per_month: int | None, at_once: int | None, price: float | None,
    gated: int | None, created_at: float, keys: int,
) -> StoredTenant:  # fmt: skip
    limits = TenantLimits(per_minute, per_month, at_once, price, None if gated is None else bool(gated))
    return StoredTenant(name, limits, created_at, keys)


def day_of(moment: float) -> str:
    """Return the day of a moment (seconds since the epoch), in UTC, as usage is kept by it."""
    return time.strftime("%Y-%m-%d", time.gmtime(moment))


def total(used: list[Usage]) -> list[Usage]:
    """Add up the days of each tenant; the day of a sum is its first."""
    sums: dict[str, Usage] = {}
    for one in used:
        before = sums.get(one.tenant, Usage(one.tenant, one.day))
        sums[one.tenant] = Usage(
            one.tenant, before.day, before.pictures + one.pictures, before.refused + one.refused,
            before.failed + one.failed, before.gpu_s + one.gpu_s, before.cost + one.cost,
        )  # fmt: skip
    return list(sums.values())
