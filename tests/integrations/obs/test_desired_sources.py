"""What belongs into OBS, and which of OBS's sources are ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.integrations.obs.desired_sources import (
    Box,
    DesiredSource,
    KnownSource,
    ObsCanvas,
    ObsInput,
    SourceKind,
    find_ours,
    free_name,
    group_layers,
    plan_images,
    plan_pages,
    wrong_settings,
)
from streamer.overlay.layer_options import LayerOptions

LAYERS = {
    "background": LayerOptions(use="background"),
    "meme": LayerOptions(use="popup", z=20, position="right", scale=0.5),
    "sticker": LayerOptions(use="popup", z=10, position="top-left", scale=0.25),
}
CANVAS = ObsCanvas(1920, 1080)
URLS = {"background": "http://here/overlay?layers=background#t", "overlay": "http://here/overlay?layers=meme,sticker#t"}


def plan() -> dict[str, DesiredSource]:
    return {wanted.key: wanted for wanted in plan_pages(LAYERS, CANVAS, URLS)}


def test_what_fills_the_frame_stands_behind_and_the_rest_before() -> None:
    assert group_layers(LAYERS) == {"background": ("background",), "overlay": ("meme", "sticker")}
    assert group_layers({"meme": LAYERS["meme"]}) == {"overlay": ("meme",)}
    assert [(key, wanted.behind) for key, wanted in plan().items()] == [("background", True), ("overlay", False)]


def test_a_page_is_as_large_as_the_canvas_and_never_shut_down() -> None:
    settings = plan()["overlay"].settings
    assert (settings["width"], settings["height"]) == (1920, 1080)
    assert (settings["shutdown"], settings["restart_when_active"]) == (False, False)
    assert (settings["is_local_file"], settings["url"]) == (False, URLS["overlay"])


def test_a_loader_page_is_a_local_file() -> None:
    (background, _) = plan_pages(LAYERS, CANVAS, {key: Path(f"/home/{key}.html") for key in URLS})
    assert background.settings["is_local_file"] is True
    assert background.settings["local_file"] == str(Path("/home/background.html"))


def test_images_stand_where_their_layer_would(tmp_path: Path) -> None:
    planned = plan_images(LAYERS, CANVAS, {name: tmp_path / name / "1.png" for name in LAYERS})
    assert [wanted.layers for wanted in planned] == [("background",), ("sticker",), ("meme",)], "from low to high"
    boxes = {wanted.layers[0]: wanted.box for wanted in planned}
    assert boxes["background"] == Box(0, 0, 1920, 1080, fills=True)
    assert boxes["sticker"] == Box(32, 32, 480, 270, fills=False)
    assert boxes["meme"] == Box(928, 270, 960, 540, fills=False)


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param([ObsInput("any", "id-1", {})], id="by its id"),
        pytest.param([ObsInput("any", "", {"url": URLS["overlay"].replace("#t", "#older")})], id="by what it shows"),
        pytest.param([ObsInput("once renamed", "", {})], id="by the name it had"),
        pytest.param([ObsInput("streamer overlay", "", {})], id="by the name it gets"),
    ],
)
def test_a_source_is_ours(inputs: list[ObsInput]) -> None:
    other = ObsInput("theirs", "id-9", {"url": "http://alerts"})
    assert (
        find_ours(
            plan()["overlay"],
            KnownSource("once renamed", "id-1"),
            [other, *inputs],
        )
        == inputs[0]
    )


def test_the_id_counts_more_than_what_it_shows() -> None:
    copy, kept = ObsInput("copy", "id-2", plan()["overlay"].settings), ObsInput("kept", "id-1", {})
    assert find_ours(plan()["overlay"], KnownSource("kept", "id-1"), [copy, kept]) == kept


def test_what_is_somebody_elses_is_left_alone() -> None:
    others = [ObsInput("theirs", "id-9", {"url": "http://alerts"}), ObsInput("plain", "", {})]
    assert find_ours(plan()["overlay"], None, others) is None


def test_only_what_is_wrong_is_changed() -> None:
    wanted = plan()["overlay"]
    assert wrong_settings(wanted, dict(wanted.settings) | {"css": "body {}"}) == {}
    assert wrong_settings(wanted, dict(wanted.settings) | {"shutdown": True}) == {"shutdown": False}


def test_a_taken_name_gets_a_number() -> None:
    assert free_name("a", []) == "a"
    assert free_name("a", ["a", "a 2"]) == "a 3"


def test_the_kinds_are_obs_own_names() -> None:
    assert [str(kind) for kind in SourceKind] == ["browser_source", "image_source"]
