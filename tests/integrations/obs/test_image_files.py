"""Picture files for OBS: new names, whole files, few of them."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from streamer.integrations.obs.image_files import FILES_KEPT, PictureFiles
from streamer.types import Frame


def frame(kind: str, colour: str = "red") -> Frame:
    encoded = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(encoded, kind)
    return Frame("r", "meme", f"image/{kind}", encoded.getvalue(), 8, 8)


def test_every_picture_gets_a_new_name_and_few_stay(tmp_path: Path) -> None:
    files = PictureFiles(tmp_path, ["meme"])
    paths = [files.write("meme", frame("jpeg")) for _ in range(10)]
    assert len(set(paths)) == 10
    assert sorted(paths[0].parent.iterdir()) == sorted(paths[-FILES_KEPT:])
    assert files.current() == {"meme": paths[-1]}


def test_webp_becomes_a_png_that_every_obs_reads(tmp_path: Path) -> None:
    path = PictureFiles(tmp_path, ["meme"]).write("meme", frame("webp"))
    assert path.read_bytes().startswith(b"\x89PNG")


def test_nothing_to_show_is_a_transparent_picture(tmp_path: Path) -> None:
    files = PictureFiles(tmp_path, ["meme", "../else/where"])
    files.prepare()
    assert all(tmp_path in path.resolve().parents for path in files.current().values())
    with Image.open(files.current()["meme"]) as picture:
        assert picture.getchannel("A").getextrema() == (0, 0)


def test_preparing_again_keeps_what_is_shown(tmp_path: Path) -> None:
    files = PictureFiles(tmp_path, ["meme"])
    shown = files.write("meme", frame("jpeg"))
    files.prepare()
    assert files.current() == {"meme": shown}


def test_another_program_finds_what_is_shown(tmp_path: Path) -> None:
    shown = PictureFiles(tmp_path, ["meme"]).write("meme", frame("jpeg"))
    other = PictureFiles(tmp_path, ["meme"])
    other.prepare()
    assert other.current() == {"meme": shown}


def test_after_renewing_nothing_of_before_is_left_but_what_is_shown(tmp_path: Path) -> None:
    earlier = PictureFiles(tmp_path, ["meme", "gone"])
    for layer in ("meme", "meme", "gone"):
        earlier.write(layer, frame("jpeg"))
    blue = frame("jpeg", "blue")
    files = PictureFiles(tmp_path, ["meme", "background"])
    paths = files.replace_all({"meme": blue})
    assert sorted(tmp_path.glob("*/*")) == sorted(paths.values())
    assert paths["meme"].read_bytes() == blue.data
    assert files.current() == paths


def test_where_no_files_were_needed_none_are_made(tmp_path: Path) -> None:
    assert PictureFiles(tmp_path / "pictures", ["meme"]).replace_all({"meme": frame("jpeg")}) == {}
    assert list(tmp_path.iterdir()) == []
