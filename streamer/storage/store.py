"""The state directory: the database, one repository a table, and the picture files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streamer.storage.audit import AuditLog
from streamer.storage.bans import BanRepository
from streamer.storage.database import ONLY_CHANNEL, ChannelKeys, Database
from streamer.storage.pictures import PictureRepository
from streamer.storage.redemptions import RedemptionRepository
from streamer.storage.requests import InterruptedRequest, RequestRepository
from streamer.storage.settings import SettingRepository
from streamer.storage.tenants import TenantRepository
from streamer.storage.tokens import TokenRepository


class StoreOptions(BaseModel):
    """How much of the past is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    pictures_kept: Annotated[int, Field(ge=1, description="how many of the newest pictures stay on disk")] = 500
    requests_kept: Annotated[int, Field(ge=100, description="how many of the newest requests stay in the database")] = (
        20_000
    )


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that is kept; each repository owns its tables."""

    database: Database
    requests: RequestRepository
    pictures: PictureRepository
    audit: AuditLog
    bans: BanRepository
    redemptions: RedemptionRepository
    tokens: TokenRepository
    tenants: TenantRepository
    settings: SettingRepository
    options: StoreOptions
    keys: ChannelKeys = ONLY_CHANNEL

    @classmethod
    def at(cls, home: Path, options: StoreOptions) -> Store:
        """Build the store of a state directory; ``open`` creates what is missing there."""
        return cls.over(Database(home), options)

    @classmethod
    def over(cls, database: Database, options: StoreOptions, keys: ChannelKeys = ONLY_CHANNEL) -> Store:
        """Build the repositories over a database."""
        redemptions = RedemptionRepository(database)
        requests = RequestRepository(database, redemptions, options.requests_kept, keys)
        return cls(
            database=database,
            requests=requests,
            pictures=PictureRepository(database, requests, options.pictures_kept, keys),
            audit=AuditLog(database, keys),
            bans=BanRepository(database, keys),
            redemptions=redemptions,
            tokens=TokenRepository(database),
            tenants=TenantRepository(database),
            settings=SettingRepository(database, keys),
            options=options,
            keys=keys,
        )

    def of_channel(self, name: str) -> Store:
        """Return this store as one of several channels sees it: what the others write is not there.

        Requests, pictures and people who asked to be forgotten are the whole store's: each has an id of its own.
        """
        return Store.over(self.database, self.options, ChannelKeys(name))

    @property
    def home(self) -> Path:
        """Return the state directory."""
        return self.database.home

    async def open(self) -> None:
        """Create what is missing and bring the schema up to date; the program and a command may both do it."""
        await self.database.open()

    async def recover(self, fresh_s: float = 0.0) -> list[InterruptedRequest]:
        """End what the last run left open, and return the requests of the last ``fresh_s`` seconds instead.

        Only the running program may do that, not a command beside it.
        """
        interrupted = await self.requests.recover(fresh_s)
        await self.audit.end_interrupted()
        return interrupted

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Store]:
        """Open the store for a while, as a command does beside a program that may be running."""
        await self.open()
        try:
            yield self
        finally:
            await self.close()

    async def close(self) -> None:
        """Finish all calls made so far and close the database."""
        await self.database.close()
