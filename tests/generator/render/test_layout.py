from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.errors import ConfigError
from streamer.generator.render.layout import MemeLayout, TextBox, layout_names, load_layout


def test_the_layouts_that_ship() -> None:
    assert {"top_bottom", "top", "bottom", "lower_third", "billboard", "headline", "demotivator"} == set(layout_names())


@pytest.mark.parametrize("name", layout_names())
def test_each_layout_uses_everything_that_was_typed(name: str) -> None:
    used = {slot.text for slot in load_layout(name).texts}
    assert used in ({"top", "bottom"}, {"both"})


@pytest.mark.parametrize("name", layout_names())
def test_each_layout_is_described(name: str) -> None:
    assert load_layout(name).about[0].isupper()


@pytest.mark.parametrize("name", ["no_such", "", "../layouts/top", "top.yaml"])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_layout(name)
    assert all(known in str(caught.value) for known in layout_names())


def test_a_box_without_area_is_refused() -> None:
    with pytest.raises(ValidationError, match="left must be less than right"):
        TextBox(left=0.5, top=0, right=0.5, bottom=1)


def test_a_misspelt_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="colou"):
        MemeLayout.model_validate({"about": "x", "texts": [], "colou": "#000000"})


def test_a_box_is_at_least_one_pixel() -> None:
    assert TextBox(left=0.5, top=0.5, right=0.501, bottom=0.501).pixels(10, 10) == (5, 5, 6, 6)


OWN = """
about: Mine
texts:
  - {text: both, box: {left: 0, top: 0, right: 1, bottom: 1}}
"""


def test_a_streamers_own_layout_is_found_and_wins_over_one_that_ships(tmp_path: Path) -> None:
    for name in ("mine", "top"):
        (tmp_path / f"{name}.yaml").write_text(OWN)
    assert set(layout_names(tmp_path)) == {*layout_names(), "mine"}
    assert load_layout("mine", tmp_path).about == load_layout("top", tmp_path).about == "Mine"
    assert load_layout("top").about != "Mine"


def test_a_folder_of_own_layouts_need_not_exist(tmp_path: Path) -> None:
    assert layout_names(tmp_path / "layouts") == layout_names()


@pytest.mark.parametrize("text", ["about: [", "about: x\ntexts: []", "about: x\nfont: y", "\xff"])
def test_a_broken_layout_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        load_layout("mine", tmp_path)


def test_a_mistake_in_an_own_layout_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(OWN.replace("about: Mine", "about: 2026"))
    with pytest.raises(ConfigError, match=r'mine\.yaml:2: about: .* put it in quotes: "2026"'):
        load_layout("mine", tmp_path)
