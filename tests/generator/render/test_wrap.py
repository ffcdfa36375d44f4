import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.generator.render.wrap import TextRoom, balance, break_up, fit_text, graphemes, wrap

ROOM = TextRoom(width=1000, height=360, lines=3, largest=130, smallest=40, outline=0.08)


def measure(text: str) -> float:
    """Every character is half a letter size wide."""
    return 0.5 * len(text)


def test_a_short_text_stands_in_one_line_at_the_largest_size() -> None:
    assert fit_text("ship it", ROOM, measure).lines == ("ship it",)
    assert fit_text("ship it", ROOM, measure).size == ROOM.largest


def test_a_longer_text_gets_more_lines_before_it_gets_small() -> None:
    fitted = fit_text("when chat picks the background again", ROOM, measure)
    assert len(fitted.lines) > 1
    assert fitted.size > ROOM.smallest


def test_lines_are_of_about_the_same_length() -> None:
    pieces = break_up("aaaa bbbb cccc dddd", measure)
    assert balance(pieces, 0.5, measure("aaaa bbbb cccc")) == ("aaaa bbbb", "cccc dddd")


def test_what_cannot_fit_gets_more_and_smaller_lines() -> None:
    fitted = fit_text("word " * 200, ROOM, measure)
    assert fitted.size < ROOM.smallest
    assert " ".join(fitted.lines).split() == ["word"] * 200
    assert len(fitted.lines) * 1.06 * fitted.size < ROOM.height


def test_emoji_flags_and_skin_tones_are_one_character() -> None:
    for one in ("\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd", "\U0001f469\u200d\U0001f467", "1\ufe0f\u20e3"):
        assert graphemes(one + "a") == [one, "a"]


def test_a_word_is_set_smaller_and_never_cut() -> None:
    assert fit_text("a" * 60, ROOM, measure).lines == ("a" * 60,)
    assert fit_text("a" * 3000, ROOM, measure).lines == ("a" * 3000,)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("日本語", ["日", "本", "語"]),
        ("日本assassin語", ["日", "本", "assassin", "語"]),
        ("ａｂｃ", ["ａｂｃ"]),
        ("😀😀\U0001f469\u200d\U0001f467", ["😀", "😀", "\U0001f469\u200d\U0001f467"]),
        ("กินข้าวหรือยังครับวันนี้", ["กินข้าวหรือยังครั", "บวันนี้"]),
    ],
)
def test_only_scripts_without_spaces_break_inside_a_word(text: str, pieces: list[str]) -> None:
    assert [piece.text for piece in break_up(text, measure)] == pieces
    assert "".join(piece.text for piece in break_up(text, measure)) == text


def test_marks_stay_with_their_letter() -> None:
    assert graphemes("e\u0301a\u0308x") == ["e\u0301", "a\u0308", "x"]


@given(st.text(st.sampled_from("ab яж 日ก\u0e49\u0301 "), max_size=200))
def test_every_line_fits_and_nothing_is_lost(text: str) -> None:
    fitted = fit_text(text, ROOM, measure)
    assert fitted.size <= ROOM.largest
    assert all(measure(line) <= ROOM.inner_width(fitted.size) + 1e-6 for line in fitted.lines)
    assert "".join("".join(fitted.lines).split()) == "".join(text.split())


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.integers(12, 40))
def test_wrapping_keeps_every_word_in_order(lengths: list[int], width: int) -> None:
    words = ["x" * length for length in lengths]
    lines = wrap(break_up(" ".join(words), len), 1, width)
    assert " ".join(lines).split() == words
    assert all(len(line) <= width for line in lines)
