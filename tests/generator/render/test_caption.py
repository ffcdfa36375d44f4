from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import ImageDraw

from streamer.commands.options import CommandOptions
from streamer.commands.parser import Commands
from streamer.generator.render import caption
from streamer.generator.render.caption import draw_caption
from streamer.generator.render.layout import LayoutSlot, layout_names, load_layout
from streamer.moderation.text_filter.filter import TextFilter
from streamer.moderation.text_filter.normalize import fold
from streamer.moderation.text_filter.options import TextFilterOptions
from streamer.types import Actor, Caption, ImageRequest, Role, Trigger

GREY = 128
OUTLINED = ("top_bottom", "top", "bottom")
LETTERS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"]) | st.sampled_from("жЁЩйQg|\u0301\u0336日א😀 \n")
)


def grey(width: int = 640, height: int = 640, channels: int = 3) -> np.ndarray:
    pixels = np.full((height, width, channels), GREY, np.uint8)
    if channels == 4:
        pixels[..., 3] = 0
    return pixels


def ink(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """Find the rectangle of everything that is no longer grey."""
    rows, columns = np.nonzero((pixels[..., :3] != GREY).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def boxes(slots: tuple[LayoutSlot, ...], width: int, height: int) -> np.ndarray:
    inside = np.zeros((height, width), bool)
    for slot in slots:
        left, top, right, bottom = slot.box.pixels(width, height)
        inside[top:bottom, left:right] = True
    return inside


@settings(max_examples=150, deadline=None)
@given(LETTERS, LETTERS, st.sampled_from(OUTLINED), st.sampled_from([(640, 640), (640, 360), (360, 640), (96, 64)]))
@example("W" * 300, "j\u0336\u0301" * 200, "top_bottom", (640, 360))
@example("Ё" * 15, "Щ" * 16 + " " + "g" * 17, "top_bottom", (640, 640))
def test_no_ink_ever_leaves_its_box(top: str, bottom: str, layout: str, size: tuple[int, int]) -> None:
    drawn = draw_caption(grey(*size), Caption(top, bottom, layout))
    changed = (drawn != GREY).any(axis=2)
    assert not (changed & ~boxes(load_layout(layout).texts, *size)).any()


@settings(max_examples=60, deadline=None)
@given(LETTERS, LETTERS, st.sampled_from(layout_names()), st.sampled_from([3, 4]))
def test_no_text_breaks_any_layout(top: str, bottom: str, layout: str, channels: int) -> None:
    assert draw_caption(grey(160, 90, channels), Caption(top, bottom, layout)).shape == (90, 160, channels)


@pytest.mark.parametrize("layout", layout_names())
@pytest.mark.parametrize("text", ["when chat picks the background", "когда чат выбирает фон, а ты не готов"])
def test_text_is_large_enough_to_read_on_a_phone(layout: str, text: str) -> None:
    pixels = grey(1024, 1024)
    drawn = draw_caption(pixels, Caption(text, "", layout))
    assert (drawn != draw_caption(pixels, Caption("", "", layout))).any(axis=2).mean() > 0.008


def test_the_picture_given_is_not_touched() -> None:
    pixels = grey()
    draw_caption(pixels, Caption("top", "bottom", "top_bottom"))
    assert (pixels == GREY).all()


@pytest.mark.parametrize("text", ["", "   "])
def test_a_caption_with_nothing_to_write_changes_nothing(text: str) -> None:
    pixels = grey()
    assert draw_caption(pixels, Caption(text, text, "demotivator")) is pixels


TYPED = st.lists(
    st.sampled_from(["cat", "ß", "|", " ", "字", "א", "ก", "😀", "x.com", "½", "ﬁ"]) | st.text(max_size=6), max_size=30
)


@settings(max_examples=100, deadline=None)
@given(TYPED.map("".join), st.sampled_from(layout_names()))
def test_what_is_drawn_is_what_was_judged(typed: str, layout: str) -> None:
    """Any text that a viewer can type, through the real parser, the real gate and the real drawing."""
    options = CommandOptions.model_validate({"kind": "meme", "layer": "memes", "layout": layout})
    commands = Commands({"meme": options}, styles={}, expires_after_s=30)
    request = commands.interpret(Trigger("m1", "test", f"!meme x|{typed}", Actor("1", "ann", Role.VIEWER), 0.0))
    assert isinstance(request, ImageRequest)
    if request.caption is None:
        return
    judged: list[str] = []
    drawn: list[str] = []
    gate = TextFilter(TextFilterOptions(), [])
    with (
        patch.object(gate, "find", lambda text, _: judged.append(text)),
        patch.object(caption, "draw_line", noting(drawn)),
    ):
        gate.check(request, 0.0)
        draw_caption(grey(320, 180), request.caption)
    # In capitals and in small letters a text is judged alike: that is what folding is.
    compact = {fold("".join(text.split())) for text in judged}
    assert all(fold(text) in compact for text in drawn)


def noting(drawn: list[str]) -> Callable[..., None]:
    """Note the lines that belong together: each text is drawn once, or once more for its outline."""

    def note(
        draw: ImageDraw.ImageDraw, start: tuple[float, float], line: str, weight: str, size: int, *_: object
    ) -> None:
        if not drawn or start[1] <= 1.07 * size:
            drawn.append("")
        drawn[-1] += "".join(line.split())

    return note


def test_top_text_stands_at_the_top_and_bottom_text_at_the_bottom() -> None:
    assert ink(draw_caption(grey(), Caption("hello", "", "top_bottom")))[3] < 0.2 * 640
    assert ink(draw_caption(grey(), Caption("", "hello", "top_bottom")))[1] > 0.8 * 640


def test_text_is_centred() -> None:
    left, _, right, _ = ink(draw_caption(grey(), Caption("HOH", "", "top_bottom")))
    assert abs((left + right) / 2 - 320) <= 2


def test_memes_are_in_capitals() -> None:
    small = draw_caption(grey(), Caption("привет, chat", "", "top_bottom"))
    assert (small == draw_caption(grey(), Caption("ПРИВЕТ, CHAT", "", "top_bottom"))).all()


def test_letters_are_white_with_a_black_outline() -> None:
    drawn = draw_caption(grey(), Caption("HHH", "", "top_bottom"))
    assert (drawn == 255).all(axis=2).sum() > 1000
    assert (drawn == 0).all(axis=2).sum() > 1000
    row = drawn[60, :, 0]
    first_changed = int(np.nonzero(row != GREY)[0][0])
    assert row[first_changed : first_changed + 6].min() < 30  # from outside the outline comes first


@pytest.mark.parametrize("size", [(640, 640), (1280, 720), (720, 1280)])
def test_a_longer_text_is_set_smaller_but_never_too_small(size: tuple[int, int]) -> None:
    words = "one does not simply walk into a channel and expect the picture to be reasonable"
    left, top, right, bottom = ink(draw_caption(grey(*size), Caption(words, "", "top_bottom")))
    assert right - left > 0.6 * size[0]
    assert (bottom - top) / size[1] > 0.08


def test_on_a_transparent_picture_the_text_is_opaque_and_the_rest_stays_clear() -> None:
    drawn = draw_caption(grey(channels=4), Caption("HELLO", "", "top_bottom"))
    assert (drawn[300:, :, 3] == 0).all()
    assert (drawn[..., 3] == 255).sum() > 1000


def test_the_demotivator_insets_the_picture_on_black() -> None:
    drawn = draw_caption(grey(), Caption("patience", "", "demotivator"))
    assert (drawn[:20] == 0).all()
    assert (drawn[200, 320] == GREY).all()
