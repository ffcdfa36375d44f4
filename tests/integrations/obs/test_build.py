"""Building the parts that deal with OBS from the config."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.integrations.obs import build, password
from streamer.integrations.obs.config import ObsOptions
from streamer.overlay.layer_options import DEFAULT_LAYERS

URL = "http://127.0.0.1:8710/overlay#token"
OVERLAY = build.OverlayPages(DEFAULT_LAYERS, URL)


def test_each_source_shows_its_layers_and_the_token_stays_in_the_fragment() -> None:
    assert build.url_for_layers(URL, ["meme", "sticker"]) == "http://127.0.0.1:8710/overlay?layers=meme,sticker#token"
    assert build.url_for_layers(URL, ["фон"]).endswith("?layers=%D1%84%D0%BE%D0%BD#token")


def test_obs_on_this_machine_loads_a_page_from_disk_and_another_one_from_the_server(tmp_path: Path) -> None:
    here = build.page_addresses(OVERLAY, tmp_path, same_machine=True)
    assert here == {key: tmp_path / "obs" / f"{key}.html" for key in ("background", "overlay")}
    there = build.page_addresses(OVERLAY, tmp_path, same_machine=False)
    assert there["overlay"] == "http://127.0.0.1:8710/overlay?layers=meme#token"


OVERLAY = build.OverlayPages(DEFAULT_LAYERS, URL)


def test_the_pages_on_disk_are_new_at_every_start_even_without_obs(tmp_path: Path) -> None:
    build.build_obs(ObsOptions(), OVERLAY, tmp_path, {}, list, lambda layer: None)
    assert "#token" in (tmp_path / "obs" / "overlay.html").read_text()


def test_a_password_that_others_may_read_stops_the_start(tmp_path: Path) -> None:
    password.write(tmp_path, "secret").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        build.build_client(ObsOptions(), tmp_path, {})
