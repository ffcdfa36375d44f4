"""What a tenant gets is counted and billed; what it does not get is neither."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from streamer.api.v1 import faults
from streamer.api.v1.faults import Fault
from streamer.api.v1.links import Links
from streamer.api.v1.options import PictureApiOptions
from streamer.api.v1.picture_api import DrawnPictures, PictureApi, encoded
from streamer.api.v1.schemas import Ask, OutputFormat
from streamer.api.v1.tenants import Limits, Tenant, Tenants
from streamer.storage.store import Store, StoreOptions
from streamer.storage.tenants import Usage
from streamer.types import Frame, Preview
from tests.support.images_server import picture

ASK = Ask("a fox", 2, 64, 48, 5, False, OutputFormat.JPEG, None, False, 0)
JPEG = picture(64, 48, "JPEG")


@dataclass
class Scripted:
    """Draws at once, or raises."""

    fault: Fault | None = None
    seeds: list[int | None] = field(default_factory=list)

    async def draw(self, ask: Ask, tenant: Tenant, seed: int | None) -> AsyncGenerator[Preview | Frame, None]:
        self.seeds.append(seed)
        yield Preview("r", "", 1, 4, "image/jpeg", b"small", 8, 8)
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        yield Frame("r", "", "image/jpeg", JPEG, 64, 48, drew_s=0.5)


@dataclass
class Desk:
    """The API over a store, with one tenant."""

    api: PictureApi
    draws: Scripted
    store: Store
    tenant: Tenant

    async def drawn(self, ask: Ask = ASK, key: str = "") -> DrawnPictures:
        async with aclosing(self.api.drawn(ask, self.tenant, key)) as items:  # type: ignore[type-var]
            return [item async for item in items if isinstance(item, DrawnPictures)][-1]

    async def used(self) -> list[Usage]:
        return await self.store.tenants.usage("2000-01-01")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk, None]:
    async with Store.at(tmp_path, StoreOptions()).opened() as store:
        options, draws = PictureApiOptions(), Scripted()
        api = PictureApi(options, Tenants(options), draws, store.tenants, lambda: ("procedural",), Links(60.0))
        yield Desk(api, draws, store, Tenant("shop", Limits(10, 4, 1, 0.5, True)))


async def test_each_picture_has_a_seed_of_its_own_and_its_gpu_time_is_billed(desk: Desk) -> None:
    drawn = await desk.drawn()
    assert desk.draws.seeds == [5, 6]
    assert (len(drawn.pictures), drawn.gpu_s, drawn.cost) == (2, 1.0, 0.5)
    assert await desk.used() == [Usage("shop", desk.api.today(), 2, 0, 0, 1.0, 0.5)]
    assert desk.tenant.got_this_month(desk.api.today()) == 2


async def test_a_replay_draws_counts_and_costs_nothing(desk: Desk) -> None:
    first = await desk.drawn(key="order 1")
    again = await desk.drawn(key="order 1")
    assert (again.pictures, again.replayed, first.replayed) == (first.pictures, True, False)
    assert len(desk.draws.seeds) == 2
    assert [used.pictures for used in await desk.used()] == [2]


async def test_refusals_and_failures_are_counted_and_not_billed(desk: Desk) -> None:
    for fault in (faults.refused("no"), faults.not_drawn("no"), faults.invalid("no")):
        desk.draws.fault = fault
        with pytest.raises(Fault):
            await desk.drawn(key="order 1")
    (used,) = await desk.used()
    assert (used.pictures, used.refused, used.failed, used.cost) == (0, 1, 1, 0.0)
    desk.draws.fault = None
    assert not (await desk.drawn(key="order 1")).replayed, "an error is not given again"


async def test_a_tenant_beyond_its_limits_reaches_no_generator(desk: Desk) -> None:
    await desk.drawn()
    await desk.drawn()
    with pytest.raises(Fault) as caught:
        await desk.drawn()
    assert caught.value.code == "insufficient_quota"
    assert len(desk.draws.seeds) == 4


async def test_who_leaves_in_the_middle_frees_its_place_and_its_key(desk: Desk) -> None:
    items = desk.api.drawn(ASK, desk.tenant, "order 1")
    await anext(items)
    assert desk.tenant.open_requests == 1
    await items.aclose()  # type: ignore[attr-defined]
    assert desk.tenant.open_requests == 0
    assert len((await desk.drawn(key="order 1")).pictures) == 2


async def test_an_idempotency_key_has_an_end(desk: Desk) -> None:
    with pytest.raises(Fault, match="at most 255 characters"):
        await desk.drawn(key="k" * 256)


@pytest.mark.parametrize(("output_format", "quality"), [("png", None), ("webp", 50), ("jpeg", 10), ("jpeg", None)])
def test_a_picture_is_encoded_as_a_program_wants_it(output_format: str, quality: int | None) -> None:
    ask = Ask("a fox", 1, 64, 48, None, False, OutputFormat(output_format), quality, False, 0)
    found = encoded(Frame("r", "", "image/jpeg", JPEG, 64, 48), ask)
    with Image.open(io.BytesIO(found.data)) as image:
        assert (image.format, found.media_type) == (output_format.upper(), f"image/{output_format}")
    assert (found.data == JPEG) is (output_format == "jpeg" and quality is None)
    assert quality != 10 or len(found.data) < len(JPEG)
