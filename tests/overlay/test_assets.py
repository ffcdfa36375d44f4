"""The overlay's files: read once, named in the page, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.overlay.assets import read_assets
from tests.support.overlay_page import WEB


@pytest.fixture
def web(tmp_path: Path) -> Path:
    for name, text in {
        "overlay/index.html": "<!doctype html>{preloads}<script src='overlay/static/{version}/overlay/main.js'>",
        "overlay/main.js": "import '../shared/socket.js';",
        "overlay/notes.txt": "not served",
        "shared/socket.js": "export {};",
        "panel/panel.js": "not the overlay's",
        "package.json": "{}",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_only_scripts_and_styles_of_the_overlay_are_files(web: Path) -> None:
    (web / "shared" / "secret.js").symlink_to(web / "package.json")
    assets = read_assets(web)
    assert set(assets.files) == {"overlay/main.js", "shared/socket.js"}
    assert assets.files["overlay/main.js"].media_type == "text/javascript"


def test_the_page_preloads_every_module_under_the_current_version(web: Path) -> None:
    assets = read_assets(web)
    assert f'href="overlay/static/{assets.version}/shared/socket.js"' in assets.page
    assert f"src='overlay/static/{assets.version}/overlay/main.js'" in assets.page
    assert "{" not in assets.page


def test_the_version_changes_with_every_file(web: Path) -> None:
    before = read_assets(web).version
    assert read_assets(web).version == before
    (web / "shared" / "socket.js").write_text("export { };")
    assert read_assets(web).version != before


def test_the_real_page_finds_all_its_modules() -> None:
    assets = read_assets(WEB)
    assert {"overlay/main.js", "overlay/overlay.css", "overlay/layers/popup.js", "shared/socket.js"} <= set(
        assets.files
    )
