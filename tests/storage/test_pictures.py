"""Pictures: the newest are kept with their files, and what each layer shows survives a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from streamer.storage.store import Store, StoreOptions
from tests.support.examples import REQUEST, frame


async def test_a_popup_is_not_brought_back(store: Store) -> None:
    meme = replace(REQUEST, layer="meme", seconds=8.0)
    await store.requests.accept(meme)
    await store.pictures.keep(meme, frame("r1", "meme"), "v1")
    assert await store.pictures.on_air() == []
    assert len(await store.pictures.newest(10)) == 1


async def test_only_the_newest_pictures_are_kept_and_never_the_one_on_air_forgotten(tmp_path: Path) -> None:
    store = Store.at(tmp_path, StoreOptions(pictures_kept=2))
    await store.open()
    for number in range(5):
        request = replace(REQUEST, id=f"r{number}", seconds=None if number == 0 else 8.0)
        await store.requests.accept(request)
        await store.pictures.keep(request, frame(request.id), "v1")
    kept = [picture.id for picture in await store.pictures.newest(10)]
    assert kept == ["r4", "r3", "r0"]
    assert len(list((tmp_path / "pictures").iterdir())) == 3
    await store.close()


async def test_a_taken_back_picture_leaves_no_file(store: Store, tmp_path: Path) -> None:
    await store.requests.accept(REQUEST)
    await store.pictures.keep(REQUEST, frame("r1"), "v1")
    await store.pictures.delete("r1")
    assert await store.pictures.frame("r1") is None
    assert list((tmp_path / "home" / "pictures").iterdir()) == []


async def test_a_picture_put_on_air_again_survives_a_restart(store: Store) -> None:
    for name in ("r1", "r2"):
        request = replace(REQUEST, id=name)
        await store.requests.accept(request)
        await store.pictures.keep(request, frame(name), "v1")
    await store.pictures.set_on_air("background", "r1")
    assert [shown.request_id for shown in await store.pictures.on_air()] == ["r1"]
    await store.pictures.clear_on_air("background")
    assert await store.pictures.on_air() == []
