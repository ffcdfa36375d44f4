"""What belongs into OBS, and which of OBS's sources are ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.integrations.obs.desired_sources import (
    Box,
    DesiredSource,
    ExistingSources,
    Input,
    ObsCanvas,
    SourceKind,
    free_name,
    groups,
    images,
    ours,
    pages,
    repairs,
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
    return {wanted.key: wanted for wanted in pages(LAYERS, CANVAS, URLS)}


def test_what_fills_the_frame_stands_behind_and_the_rest_before() -> None:
    assert groups(LAYERS) == {"background": ("background",), "overlay": ("meme", "sticker")}
    assert groups({"meme": LAYERS["meme"]}) == {"overlay": ("meme",)}
    assert [(key, wanted.behind) for key, wanted in plan().items()] == [("background", True), ("overlay", False)]


def test_a_page_is_as_large_as_the_canvas_and_never_shut_down() -> None:
    settings = plan()["overlay"].settings
    assert (settings["width"], settings["height"]) == (1920, 1080)
    assert (settings["shutdown"], settings["restart_when_active"]) == (False, False)
    assert (settings["is_local_file"], settings["url"]) == (False, URLS["overlay"])


def test_a_loader_page_is_a_local_file() -> None:
    (background, _) = pages(LAYERS, CANVAS, {key: Path(f"/home/{key}.html") for key in URLS})
    assert background.settings["is_local_file"] is True
    assert background.settings["local_file"] == str(Path("/home/background.html"))


def test_images_stand_where_their_layer_would(tmp_path: Path) -> None:
    planned = images(LAYERS, CANVAS, {name: tmp_path / name / "1.png" for name in LAYERS})
    assert [wanted.layers for wanted in planned] == [("background",), ("sticker",), ("meme",)], "from low to high"
    boxes = {wanted.layers[0]: wanted.box for wanted in planned}
    assert boxes["background"] == Box(0, 0, 1920, 1080, fills=True)
    assert boxes["sticker"] == Box(32, 32, 480, 270, fills=False)
    assert boxes["meme"] == Box(928, 270, 960, 540, fills=False)


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param([Input("any", "id-1", {})], id="by its id"),
        pytest.param([Input("any", "", {"url": URLS["overlay"].replace("#t", "#older")})], id="by what it shows"),
        pytest.param([Input("once renamed", "", {})], id="by the name it had"),
        pytest.param([Input("streamer overlay", "", {})], id="by the name it gets"),
    ],
)
def test_a_source_is_ours(inputs: list[Input]) -> None:
    other = Input("theirs", "id-9", {"url": "http://alerts"})
    assert (
        ours(
            plan()["overlay"],
            ExistingSources("once renamed", "id-1"),
            [other, *inputs],
        )
        == inputs[0]
    )


def test_the_id_counts_more_than_what_it_shows() -> None:
    copy, kept = Input("copy", "id-2", plan()["overlay"].settings), Input("kept", "id-1", {})
    assert ours(plan()["overlay"], ExistingSources("kept", "id-1"), [copy, kept]) == kept


def test_what_is_somebody_elses_is_left_alone() -> None:
    others = [Input("theirs", "id-9", {"url": "http://alerts"}), Input("plain", "", {})]
    assert ours(plan()["overlay"], None, others) is None


def test_only_what_is_wrong_is_changed() -> None:
    wanted = plan()["overlay"]
    assert repairs(wanted, wanted.settings | {"css": "body {}"}) == {}
    assert repairs(wanted, wanted.settings | {"shutdown": True}) == {"shutdown": False}


def test_a_taken_name_gets_a_number() -> None:
    assert free_name("a", []) == "a"
    assert free_name("a", ["a", "a 2"]) == "a 3"


def test_the_kinds_are_obs_own_names() -> None:
    assert [str(kind) for kind in SourceKind] == ["browser_source", "image_source"]
