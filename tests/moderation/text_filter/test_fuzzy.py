"""Words in doubtful disguises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.moderation.text_filter.fuzzy import FuzzyMatcher
from streamer.moderation.text_filter.lexicon import Term

_LATIN = [
    Term("x-1", "marmalade"),
    Term("x-2", "platypus*"),
    Term("x-3", "*harbour*"),
    Term("x-4", "gull"),
    Term("x-6", "wharf"),
    Term("x-7", "anchor"),
    Term("x-8", "seagull"),
    Term("x-5", "two words"),
    Term("x-9", "elk"),
]
_CYRILLIC = [Term("y-1", "дирижабль"), Term("y-2", "варенье*"), Term("y-3", "щука"), Term("y-4", "кружка")]
_IN_LATIN = FuzzyMatcher(_LATIN, _CYRILLIC, known=["marmelade", "arbour"])
_IN_CYRILLIC = FuzzyMatcher(_CYRILLIC, _LATIN, known=["варения"])


@pytest.mark.parametrize(
    ("word", "term", "how"),
    [
        ("edalamram", "x-1", "backwards"),
        ("supytalp", "x-2", "backwards"),
        ("znezznynqr", None, ""),
        ("zneznynqr", "x-1", "shifted"),
        ("qevqepehi", "x-1", "shifted"),
        ("lbhbeqs", None, ""),
        ("marmmalade", "x-1", "by-sound"),
        ("anchorr", "x-7", "by-sound"),
        ("schuka", None, ""),
        ("marmalede", "x-1", "one-letter"),
        ("marmalad", "x-1", "one-letter"),
        ("marmalades", "x-1", "one-letter"),
        ("mramalade", "x-1", "one-letter"),
        ("mramaladr", None, ""),
        ("marmelade", None, ""),
        ("mrmld", "x-1", "without-vowels"),
        ("pltyps", "x-2", "without-vowels"),
        ("pltps", "x-2", "without-vowels"),
        ("hrbr", "x-3", "without-vowels"),
        ("gll", None, ""),
        ("pltyxpxs", "x-2", "without-vowels"),
        ("plxtxpxs", "x-2", "without-vowels"),
        ("mahrmahlahdeh", "x-1", "by-sound"),
        ("mawmawade", "x-1", "by-sound"),
        ("awchow", None, ""),
        ("anchow", "x-7", "by-sound"),
        ("dirizhabl6", None, ""),
        ("wuka", None, ""),
        ("supermarmaladeland", "x-1", "hidden"),
        ("armalademay", "x-1", "tail"),
        ("arbourhay", "x-3", "tail"),
        ("malademaray", "x-1", "tail"),
        ("alademarmay", None, ""),
        ("latypuspay", "x-2", "tail"),
        ("lbhb;f,km", "y-1", "keyboard"),
        ("lbhbfkm", "y-1", "keyboard"),
        ("dirizhabl", "y-1", "alphabet"),
        ("dirijabl", "y-1", "alphabet"),
        ("varene", "y-2", "alphabet"),
        ("varenye", "y-2", "alphabet"),
        ("dyryjhabl", None, ""),
        ("dyryzhably", None, ""),
        ("kruzhka", "y-4", "alphabet"),
        ("frahw", "x-6", "backwards"),
        ("wherf", None, ""),
        ("anchir", "x-7", "one-letter"),
        ("bodips", "x-7", "shifted"),
        ("xibsg", None, ""),
        ("myanchorage", None, ""),
        ("myseagullnest", "x-8", "hidden"),
        ("marmalade", None, ""),
        ("gull", None, ""),
        ("mountain", None, ""),
        ("htns", None, ""),
    ],
)
def test_a_disguised_latin_word_is_found(word: str, term: str | None, how: str) -> None:
    match = _IN_LATIN.find([word])
    assert (match and match[0].id, match and match[1]) == ((term, how) if term else (None, None))


@pytest.mark.parametrize(
    ("word", "term", "how"),
    [
        ("ьлбажирид", "y-1", "backwards"),
        ("ейнерав", None, ""),
        ("ьфкьфдфву", "x-1", "keyboard"),
        ("црфка", "x-6", "keyboard"),
        ("жкткивгню", "y-1", "shifted"),
        ("еисизбвмэ", "y-1", "shifted"),
        ("фшашцрсым", "y-1", "shifted"),
        ("платипус", "x-2", "alphabet"),
        ("мармаладе", "x-1", "alphabet"),
        ("дирижабл", "y-1", "by-sound"),
        ("диражабль", "y-1", "one-letter"),
        ("држбль", "y-1", "without-vowels"),
        ("дхрхжхбль", "y-1", "without-vowels"),
        ("варинье", "y-2", "one-letter"),
        ("варения", None, ""),
        ("супердирижабльград", "y-1", "hidden"),
        ("береза", None, ""),
    ],
)
def test_a_disguised_cyrillic_word_is_found(word: str, term: str | None, how: str) -> None:
    match = _IN_CYRILLIC.find([word])
    assert (match and match[0].id, match and match[1]) == ((term, how) if term else (None, None))


@pytest.mark.parametrize(
    ("word", "term"),
    [
        ("m*rm*l*d*", "x-1"),
        ("*armalade", "x-1"),
        ("ma##alade", "x-1"),
        ("g*ll", "x-4"),
        ("e*k", "x-9"),
        ("g**l", "x-4"),
        ("g***", None),
        ("m*******e", None),
        ("gull", None),
        ("g*l", None),
        ("b*ll", None),
        ("*h", None),
        ("gu*", None),
        ("w**rf", "x-6"),
        ("w***f", None),
    ],
)
def test_a_starred_word_counts_when_half_of_it_can_be_read(word: str, term: str | None) -> None:
    match = _IN_LATIN.starred(word)
    assert (match and match.id) == term


@pytest.mark.parametrize(
    ("words", "term"),
    [
        ("marma lade", "x-1"),
        ("a marma lade b", "x-1"),
        ("ma rm al ad e", "x-1"),
        ("har bour", "x-3"),
        ("marmalade", None),
        ("a marmalade pot", None),
        ("sumarma lade", None),
        ("marma ladesu", None),
        ("gu ll", None),
        ("an chor", "x-7"),
        ("wh arf", None),
        ("", None),
    ],
)
def test_a_word_cut_by_spaces_is_joined(words: str, term: str | None) -> None:
    match = _IN_LATIN.across(words.split())
    assert (match and match.id) == term


def test_a_known_phrase_is_not_a_term_cut_by_spaces() -> None:
    matcher = FuzzyMatcher(_LATIN, [], known=["marma lade", "anchor"])
    assert [matcher.across(words.split()) for words in ("marma lade", "a marma lade b")] == [None, None]
    for words in ("mar malade", "marm alade marma ladex"):
        match = matcher.across(words.split())
        assert (match and match.id) == "x-1"


@pytest.mark.parametrize(
    ("words", "term"),
    [
        ("my apple rests many years at lake and dries every night", None),
        ("my apple rests mostly at lake and dries early", "x-1"),
        ("so my apple rests mostly at lake and dries early today", "x-1"),
        ("a new cat has old rope", "x-7"),
        ("we hear a red fox", None),
        ("we hear a red fox sing", None),
        ("go up low light", None),
        ("have a rest", None),
    ],
)
def test_first_letters_spell_a_word_of_six_letters_or_more(words: str, term: str | None) -> None:
    match = _IN_LATIN.initials(words.split())
    assert (match and match.id) == term


def test_terms_of_five_letters_or_more_are_found_inside_names() -> None:
    assert [term.id for term in _IN_LATIN.anywhere("xxmarmaladegullwharfharbour")] == ["x-1", "x-6", "x-3"]


def test_no_terms_no_guesses() -> None:
    nothing = FuzzyMatcher([], [], [])
    assert nothing.find(["marmalade"]) is None
    assert nothing.across(["mar", "malade"]) is None
    assert nothing.initials(["a"] * 9) is None
    assert nothing.starred("m*rm*lade") is None


@given(st.text(alphabet="abcdefgимрл*", max_size=30))
def test_any_word_gets_an_answer(word: str) -> None:
    assert _IN_LATIN.find([word]) is None or len(word) >= 4
