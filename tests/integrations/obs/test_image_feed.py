"""Pictures reach image sources as files, and only where OBS has no browser source."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.obs.connection import ObsAnswer
from streamer.integrations.obs.desired_sources import SourceKind
from streamer.integrations.obs.image_feed import ImageFeed
from streamer.integrations.obs.image_files import PictureFiles
from streamer.integrations.obs.installer import InstallReport
from streamer.integrations.obs.session import ObsSession
from tests.support.obs_parts import picture


class RecordingClient:
    """Remember what OBS was asked, and answer nothing."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}

    async def call(self, request: str, data: ObsAnswer) -> ObsAnswer:
        assert request == "SetInputSettings"
        self.files[data["inputName"]] = data["inputSettings"]["file"]
        return {}


def nothing_on_air(layer: str) -> None:
    """Answer as the stage does when every layer is empty."""


def session(kind: SourceKind) -> tuple[ObsSession, RecordingClient]:
    client = RecordingClient()
    installed = InstallReport(kind, {"picture meme": "my memes"}, {"meme": "my memes"}, ())
    return ObsSession(ObsOptions(), client, installed=installed), client  # type: ignore[arg-type]


async def test_a_picture_becomes_a_file_that_its_source_loads(tmp_path: Path) -> None:
    obs, client = session(SourceKind.IMAGE)
    files = PictureFiles(tmp_path, ["background", "meme"])
    await ImageFeed(obs, files, nothing_on_air).show("meme", picture((200, 30, 30), "meme"))
    assert client.files == {"my memes": str(files.current()["meme"])}
    await ImageFeed(obs, files, nothing_on_air).show("background", picture((30, 30, 200)))
    assert list(client.files) == ["my memes"], "a layer without a source is left out"


async def test_everything_on_air_is_shown_once_obs_was_set_up(tmp_path: Path) -> None:
    obs, client = session(SourceKind.IMAGE)
    frame = picture((30, 120, 30), "meme")
    await ImageFeed(obs, PictureFiles(tmp_path, ["meme"]), {"meme": frame}.get).show_all()
    assert Path(client.files["my memes"]).read_bytes() == frame.data


async def test_erasing_leaves_one_file_of_what_is_on_air(tmp_path: Path) -> None:
    obs, client = session(SourceKind.IMAGE)
    files = PictureFiles(tmp_path, ["meme"])
    files.write("meme", picture((200, 30, 30), "meme"))
    frame = picture((30, 120, 30), "meme")
    await ImageFeed(obs, files, {"meme": frame}.get).erase_old_files()
    assert [str(path) for path in tmp_path.glob("*/*")] == [client.files["my memes"]]
    assert Path(client.files["my memes"]).read_bytes() == frame.data


@pytest.mark.parametrize("installed", [True, False])
async def test_an_obs_with_pages_or_before_its_set_up_gets_no_files(tmp_path: Path, installed: bool) -> None:
    obs, client = session(SourceKind.BROWSER)
    if not installed:
        obs.installed = None
    assert not obs.fed_by_files
    await ImageFeed(obs, PictureFiles(tmp_path, ["meme"]), nothing_on_air).show_all()
    assert client.files == {}
    assert list(tmp_path.iterdir()) == []
