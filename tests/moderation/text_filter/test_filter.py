"""The text filter. Shipped terms are named by id only; harmless stand-in words replace them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.commands.options import CommandOptions
from streamer.commands.parser import Commands
from streamer.moderation.rules.words import Options, create
from streamer.moderation.text_filter import lexicon
from streamer.moderation.text_filter.filter import TextFilter
from streamer.types import Actor, Caption, Hold, ImageRequest, Outcome, Refusal, Role, Trigger

Ask = Callable[..., ImageRequest]

_SHIPPED = lexicon.shipped()
_REFUSED_KINDS = {"hate", "extremism", "sexual", "violence", "profanity", "minors"}
_ROOT = Path(__file__).parents[3]


def spaced(word: str, separator: str) -> str:
    return separator.join(word)


def swapped(word: str, letters: str, others: str) -> str:
    return word.translate(str.maketrans(letters, others))


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "mixed case": lambda word: "".join(c.upper() if n % 2 else c for n, c in enumerate(word)),
    "full width": lambda word: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word),
    "mathematical bold": lambda word: "".join(chr(ord(c) - 97 + 0x1D41A) if "a" <= c <= "z" else c for c in word),
    "circled": lambda word: "".join(chr(ord(c) - 97 + 0x24D0) if "a" <= c <= "z" else c for c in word),
    "squared": lambda word: "".join(chr(ord(c) - 97 + 0x1F170) if "a" <= c <= "z" else c for c in word),
    "flags": lambda word: "\u200b".join(chr(ord(c) - 97 + 0x1F1E6) if "a" <= c <= "z" else c for c in word),
    "accents": lambda word: "".join(c + "\u0301" for c in word),
    "struck through": lambda word: "".join(c + "\u0336" for c in word),
    "zero-width": lambda word: spaced(word, "\u200b"),
    "soft hyphens": lambda word: spaced(word, "\u00ad"),
    "dots": lambda word: spaced(word, "."),
    "hyphens": lambda word: spaced(word, "-"),
    "underscores": lambda word: spaced(word, "_"),
    "spaces": lambda word: spaced(word, " "),
    "wide spaces": lambda word: spaced(word, "\u2003"),
    "line breaks": lambda word: spaced(word, "\n"),
    "spaced dots": lambda word: spaced(word, " . "),
    "emoji between": lambda word: spaced(word, "🌊"),
    "three of each": lambda word: "".join(c * 3 for c in word),
    "long last": lambda word: word + word[-1] * 7,
    "quotes": lambda word: f"«{word}!!!»",
    "digits": lambda word: swapped(word, "oieas", "01345"),
    "signs": lambda word: swapped(word, "ais", "@!$"),
    "Cyrillic look-alikes": lambda word: swapped(word, "aceopxy", "асеорху"),
    "Latin look-alikes": lambda word: swapped(word, "асеорху", "aceopxy"),
    "Greek look-alikes": lambda word: swapped(word, "aoiv", "αοιν"),
}


@pytest.fixture(scope="module")
def rule() -> TextFilter:
    return create(Options(extra=("marmalade", "zeppelin*", "*platypus*", "purple moon", "варенье", "дирижабл*")))


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("word", ["marmalade", "zeppelins", "platypus", "варенье", "дирижабли"])
def test_a_disguised_word_is_found(rule: TextFilter, disguise: str, word: str) -> None:
    assert rule.find(f"a large {DISGUISES[disguise](word)} in the sky") is not None


@pytest.mark.parametrize("disguise", DISGUISES)
def test_every_shipped_word_is_found_in_the_disguise(rule: TextFilter, disguise: str) -> None:
    """Except what nobody would read as the word.

    Nothing but digits is a number, an exclamation mark ends a word, and many of one letter are laughter.
    """
    words = [(term.id, term.pattern.strip("*~")) for term in _SHIPPED if term.kind in _REFUSED_KINDS]
    disguised = [(name, DISGUISES[disguise](word)) for name, word in words if word.isalpha() and len(set(word)) > 1]
    readable = [(name, word) for name, word in disguised if not word.isdigit() and word[-1:] != "!"]
    assert len(readable) > 300
    assert [name for name, word in readable if rule.find(word) is None] == []


def test_every_shipped_phrase_is_refused(rule: TextFilter) -> None:
    phrases = [term for term in _SHIPPED if term.kind in _REFUSED_KINDS and " " in term.pattern]
    assert phrases
    assert [term.id for term in phrases if rule.find(f"very {term.pattern.upper()}, today") is None] == []


def blocked(rule: TextFilter, text: str) -> bool:
    finding = rule.find(text)
    return finding is not None and finding.outcome is Outcome.BLOCK


def test_a_stem_matches_inflections_and_a_plain_word_does_not(rule: TextFilter) -> None:
    assert blocked(rule, "two zeppelins")
    assert blocked(rule, "на дирижаблях")
    assert not blocked(rule, "marmalades")


def test_only_a_term_with_both_stars_matches_inside_a_word(rule: TextFilter) -> None:
    assert blocked(rule, "megaplatypuses")
    assert not blocked(rule, "antizeppelin")


def test_a_phrase_needs_its_words_side_by_side(rule: TextFilter) -> None:
    assert rule.find("the Purple, MOON") is not None
    assert rule.find("purple sky and moon") is None


def test_an_allowed_word_cancels_a_shipped_one() -> None:
    sexual = next(term for term in _SHIPPED if term.kind == "sexual" and term.pattern.isalpha())
    assert create(Options()).find(sexual.pattern) is not None
    assert create(Options(allow=(sexual.pattern,))).find(f"{sexual.pattern.upper()}!") is None


def test_an_allowed_phrase_cancels_only_itself() -> None:
    rule = create(Options(extra=("marmalade",), allow=("marmalade skies",)))
    assert rule.find("tangerine trees and marmalade skies") is None
    assert rule.find("marmalade skies, marmalade") is not None


def test_parts_of_the_list_can_be_left_out_but_never_what_concerns_minors() -> None:
    lenient = create(Options(kinds=()))
    by_kind: dict[str, str] = {term.kind: term.pattern.strip("*~") for term in _SHIPPED if " " not in term.pattern}
    assert lenient.find(by_kind["profanity"]) is None
    assert lenient.find(by_kind["minors"]) is not None
    together = lenient.find(f"{by_kind['sexual']} and far away {by_kind['age']}")
    assert together is not None
    assert together.term.kind == "minors"


def test_what_concerns_minors_cannot_be_allowed() -> None:
    words = [term.pattern for term in _SHIPPED if term.pattern.isalpha() and term.kind in ("minors", "sexual", "age")]
    rule = create(Options(allow=tuple(words)))
    by_kind: dict[str, str] = {term.kind: term.pattern for term in _SHIPPED if term.pattern in words}
    assert rule.find(by_kind["sexual"]) is None
    assert rule.find(by_kind["minors"]) is not None
    assert rule.find(f"{by_kind['sexual']} {by_kind['age']}") is not None


def test_text_too_long_to_be_read_is_refused_whatever_it_says(rule: TextFilter, ask: Ask) -> None:
    assert rule.check(ask(text="a " * 500), 0.0) is None
    assert rule.check(ask(text="a " * 500 + "b"), 0.0) is not None


def test_words_that_are_fine_alone_are_refused_together(rule: TextFilter) -> None:
    age = [term.pattern.strip("*") for term in _SHIPPED if term.kind == "age"]
    dress = [term.pattern.strip("*") for term in _SHIPPED if term.kind == "undress"]
    assert [word for word in (*age, *dress) if rule.find(word) is not None] == []
    pairs = [(word, state) for word in age for state in dress]
    assert [pair for pair in pairs if rule.find(f"{pair[1]} of some {pair[0]}") is None] == []


@pytest.mark.parametrize(
    "line",
    [
        "stormy harbour at night, lighthouse, 4k",
        "a kid rapping on stage at a school party",
        "a cat rapping on stage in the 1980s!!",
        "raccoon and a maine coon in space, studio ghibli style",
        "therapist office, cozy; assassin's creed cover art",
        "1970s Cadillac 8k hdr, f/1.4, 35mm",
        "Scunthorpe united stadium, class of 1999, Essex countryside, Sussex cottage",
        "analysis of grapes, bass player, Hancock building, cockpit of a plane, cocktail bar, shiitake mushrooms",
        "sniggering goblin, niggling doubt, blue tits on a branch",
        "Suicide Squad poster parody, raptor, drape",
        "big booty pirate chest treasure, titanic sinking, Titan mech",
        "the rapper and his dog, wrapped gifts, cooking a cookie, coconut",
        "girl riding a bike, a baby elephant, kids playing chess",
        "i a m a b o y in a t-shirt",
        "p l e a s e draw a h o u s e",
        "C-3PO and R2-D2, B-52 bomber, mp3 player, ps5, a4 paper",
        "ebay sale poster, Dickens London street, moby dick whale, Philip K Dick cover",
        "cyberpunk city | neon | rain, Dr. Who?, document, cucumber, accumulate, sextet of frogs, Middlesex",
        "шторм в гавани ночью, маяк",
        "себастьян и русалочка, хлеб с маслом, учебный класс, плохую погоду рисуй",
        "голова дракона, застрахуй машину, мандарин и педикюр, хачапури, гондольер в венеции",
        "употреблять, оскорблять, потреблять, рубля, корабля, небо над городом, команда, сабля",
        "кот в сапогах, девочка с персиками, дети играют в снежки, сучок на дереве",
        "небоскрёб, ребро, требовать, похудеть к лету, художник, хуже не бывает, подушка",
        "Нигерия закат, Москва ночью, стрингер, секстант на карте, хохлома роспись",
    ],
)
def test_ordinary_prompts_pass(rule: TextFilter, line: str) -> None:
    assert rule.find(line) is None


def test_a_refusal_does_not_repeat_the_word(rule: TextFilter, ask: Ask) -> None:
    refusal = rule.check(ask(text="fresh marmalade"), 0.0)
    assert refusal is not None
    assert isinstance(refusal, Refusal)
    assert (refusal.request_id, refusal.rule, refusal.code) == ("r1", "words", "extra.plain")
    assert "marmalade" not in refusal.reason


def test_a_caption_is_read_like_the_prompt(rule: TextFilter, ask: Ask) -> None:
    assert (
        rule.check(ask(text="a cat", prompt="a cat", caption=Caption("when the", "cat naps", "classic")), 0.0) is None
    )
    assert (
        rule.check(ask(text="a cat", prompt="a cat", caption=Caption("when the", "marmalade", "classic")), 0.0)
        is not None
    )


@pytest.mark.parametrize(
    "name",
    [
        "marmalade",
        "xX_Marmalade_Xx",
        "GoodMarmaladeFan",
        "m4rm4l4de99",
        "ilovemarmaladealot",
        "mar_ma_lade",
        "МоёВарeнье",
    ],
)
def test_a_name_with_a_refused_word_in_it_may_not_be_shown_but_may_ask(rule: TextFilter, ask: Ask, name: str) -> None:
    assert not rule.name_ok(name)
    assert rule.check(ask(name=name), 0.0) is None


@pytest.mark.parametrize("name", ["ann", "DarkLord_99", "xX_Sniper_Xx", "mississippi_mike", "Кот_Матроскин", "1234567"])
def test_ordinary_names_may_be_shown(rule: TextFilter, name: str) -> None:
    assert rule.name_ok(name)


@given(st.text(max_size=300))
def test_any_text_is_judged_without_an_error_and_alike_in_upper_case(rule: TextFilter, text: str) -> None:
    assert rule.name_ok(text) in (True, False)
    if text.isascii():
        assert rule.find(text) == rule.find(text.upper())


@pytest.mark.parametrize(
    ("text", "outcome", "code"),
    [
        ("fresh marmalade", Outcome.BLOCK, "extra.plain"),
        ("fresh %6darmalade", Outcome.BLOCK, "extra.encoded"),
        ("fresh marma lade", Outcome.HOLD, "extra.cut"),
        ("fresh marmolade", Outcome.HOLD, "extra.one-letter"),
        ("fresh edalamram", Outcome.HOLD, "extra.backwards"),
        ("fresh ma**al*de", Outcome.HOLD, "extra.starred"),
        ("свежее ва**нь*", Outcome.HOLD, "extra.starred"),
        ("my apple rests mostly at lake and dries early", Outcome.HOLD, "extra.initials"),
        ("вот арка рыжая елка на льду едем", None, ""),
        ("ва рен ье", Outcome.HOLD, "extra.cut"),
        ("edalamram and marmalade", Outcome.BLOCK, "extra.plain"),
        ("edalamram and %6darmalade", Outcome.BLOCK, "extra.encoded"),
        ("fresh jam", None, ""),
    ],
)
def test_certain_words_are_refused_and_doubtful_words_are_held(
    rule: TextFilter, ask: Ask, text: str, outcome: Outcome | None, code: str
) -> None:
    finding = rule.find(text)
    assert (finding and finding.outcome, finding and finding.code) == ((outcome, code) if outcome else (None, None))
    objection = rule.check(ask(text=text, prompt=text), 0.0)
    if outcome is None:
        assert objection is None
    else:
        assert isinstance(objection, Hold if outcome is Outcome.HOLD else Refusal)
        assert (objection.request_id, objection.rule, objection.code) == ("r1", "words", code)
        assert "marm" not in objection.reason


def test_doubtful_words_can_be_let_through() -> None:
    rule = create(Options(extra=("marmalade",), doubtful="allow"))
    assert rule.find("fresh marmolade") is None
    assert blocked(rule, "fresh marmalade")


def test_a_part_of_the_list_can_be_held_instead_of_refused_but_not_let_another_part_through() -> None:
    profanity = next(term.pattern for term in _SHIPPED if term.kind == "profanity" and term.pattern.isalpha())
    hate = next(term.pattern for term in _SHIPPED if term.kind == "hate" and term.pattern.isalpha())
    rule = create(Options(hold=("profanity",)))
    finding = rule.find(profanity)
    assert finding is not None
    assert (finding.outcome, finding.code) == (Outcome.HOLD, "profanity.plain")
    assert blocked(rule, f"{profanity} {hate}")
    assert blocked(rule, f"{profanity} %{ord(hate[0]):x}{hate[1:]}")
    encoded = rule.find(f"boat %{ord(profanity[0]):x}{profanity[1:]}")
    assert encoded is not None
    assert (encoded.outcome, encoded.code) == (Outcome.HOLD, "profanity.encoded")


def test_what_is_fine_beside_its_neighbour_is_fine_in_every_reading() -> None:
    rule = create(Options(extra=("marmalade",), allow=("marmalade skies",)))
    assert rule.find("marmalade skies (above the sea) &amp; harbour") is None
    assert blocked(rule, "marmalade skies (above the sea) &#109;armalade, marmalade")


def test_an_age_word_is_seen_together_with_one_in_another_reading() -> None:
    age = next(term.pattern for term in _SHIPPED if term.kind == "age" and term.pattern.isalpha())
    undress = next(term.pattern for term in _SHIPPED if term.kind == "undress" and term.pattern.isalpha())
    finding = create(Options()).find(f"{age} %{ord(undress[0]):x}{undress[1:]}")
    assert finding is not None
    assert (finding.outcome, finding.code) == (Outcome.BLOCK, "minors.together")


def test_the_streamers_own_patterns_refuse_the_typed_and_the_folded_text() -> None:
    rule = create(Options(patterns=(r"jam\d+", "marma.?lade")))
    assert rule.find("fresh jam42") is not None
    assert rule.find("fresh jam") is None
    finding = rule.find("ＭＡＲＭＡＬＡＤＥ")
    assert finding is not None
    assert (finding.outcome, finding.code) == (Outcome.BLOCK, "extra.pattern")
    assert not rule.name_ok("jam42")


def test_the_channels_blocked_terms_are_taken_over_and_replaced() -> None:
    rule = create(Options())
    assert rule.name_ok("marmalade")
    assert rule.import_terms(["marmalade", "🌊", "plum*"]) == 2
    finding = rule.find("fresh Marmalade")
    assert finding is not None
    assert (finding.outcome, finding.code) == (Outcome.BLOCK, "channel.pattern")
    assert rule.find("plums") is not None
    assert not rule.name_ok("marmalade")
    assert rule.import_terms([]) == 0
    assert rule.find("fresh marmalade") is None
    assert rule.name_ok("marmalade")


def test_the_channels_blocked_terms_can_be_left_out() -> None:
    rule = create(Options(channel_terms=False))
    assert rule.import_terms(["marmalade"]) == 0
    assert rule.find("marmalade") is None


def test_half_a_word_on_each_side_of_removed_text_is_found_in_the_prompt(rule: TextFilter, ask: Ask) -> None:
    assert rule.check(ask(text="marma@anna lade", prompt="a cat"), 0.0) is None
    assert rule.check(ask(text="marma@anna lade", prompt="marma lade"), 0.0) is not None
    assert rule.check(ask(text="a marmalade", prompt="a cat"), 0.0) is not None


_GATE = create(Options(extra=("marmalade",)))
_COMMANDS = Commands(
    {
        "bg": CommandOptions(kind="background", layer="background", template="{text}, wide shot"),
        "meme": CommandOptions(kind="meme", layer="meme", layout="top_bottom"),
    },
    styles={},
    expires_after_s=30,
)
_PIECE = st.sampled_from(
    [
        "marma",
        "lade",
        "marmalade",
        "МАРМ",
        " ",
        "@ann",
        "|",
        "b.com/x",
        "\u200b",
        "<|im_end|>",
        "<think>",
        "cat",
        "\n",
        "&#109;",
        "+49 170 1234567",
    ]
)


@given(st.sampled_from(["bg", "meme"]), st.lists(_PIECE | st.text(max_size=8), max_size=8))
def test_exactly_what_was_judged_is_what_the_model_reads_and_the_caption_says(command: str, pieces: list[str]) -> None:
    request = _COMMANDS.interpret(
        Trigger("m1", "test", f"!{command} {''.join(pieces)}", Actor("1", "ann", Role.VIEWER), 0.0)
    )
    if not isinstance(request, ImageRequest):
        return
    rule = _GATE
    judged: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule, "find", lambda text, _: judged.append(text))
        rule.check(request, 0.0)
    assert any(request.prompt in text for text in judged)
    if request.caption is not None:
        assert any(request.caption.top in text and request.caption.bottom in text for text in judged)
    words = f"{request.prompt} {request.caption}".casefold()
    if "marmalade" in words.split():
        assert isinstance(rule.check(request, 0.0), Refusal)
    assert re.search(r"<\|[^<>|]+\|>", request.prompt) is None
    assert "<think>" not in request.prompt


def test_no_term_of_hate_is_readable_in_the_source() -> None:
    rule = create(Options(kinds=("hate",)))
    kinds = ("streamer/**/*.py", "tests/**/*.py", "bench/**/*.py", "bench/*.txt", "docs/**/*.md", "*.md", "config.yaml")
    # Each line once, wherever it stands first: they repeat a lot, and reading them is what takes long.
    lines = {
        line.strip(): f"{file.relative_to(_ROOT)}:{number}"
        for kind in kinds
        for file in sorted(_ROOT.glob(kind), reverse=True)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    }
    finding = [
        f"{place} {finding.term.id}"
        for line, place in lines.items()
        if (finding := rule.find(line)) is not None and finding.code == "hate.plain"
    ]
    assert finding == []


def test_an_ordinary_word_that_looks_like_a_disguised_one_is_known() -> None:
    marmalade = Options(extra=("marmalade",))
    assert TextFilter(marmalade, []).find("fresh marmolade") is not None
    assert TextFilter(marmalade, [lexicon.Term("known-1", "Marmolade")]).find("fresh marmolade") is None


def test_a_known_phrase_is_not_a_word_cut_in_two() -> None:
    rule = TextFilter(Options(extra=("marmalade", "tangerine")), [lexicon.Term("known-1", "marma lade")])
    assert rule.find("a marma lade") is None
    assert rule.find("a mar malade") is not None
    assert rule.find("a marma lade and tange rine") is not None


@pytest.mark.parametrize(
    "line",
    [
        "najwyższe góry świata zimą",
        "un plat de fromage râpé, salopette bleue",
        "saate göre değişen gökyüzü, şehitler anıtı, sıkışık sokak",
        "найбільший кіт, вибачте, вибір пирогів, сірка і сіру гаму",
        "kkkkkkkk uma hiena de terno",
        "le lapin blanc est en retard, un cono de helado, ela pede um café, ein sehr dick eingepackter Bär",
        "cock-a-doodle-doo, rooster on a roof",
    ],
)
def test_ordinary_words_of_other_languages_are_not_read_as_what_they_fold_to(rule: TextFilter, line: str) -> None:
    assert rule.find(line) is None


def test_a_certain_finding_in_the_text_itself_comes_before_one_in_another_reading() -> None:
    finding = create(Options(extra=("marmalade",), patterns=("fresh",))).find("fresh marmalade &#109;armalade")
    assert finding is not None
    assert finding.code == "extra.plain"


def test_a_short_term_glued_into_a_name_is_found_in_either_alphabet() -> None:
    rule = create(Options(extra=("wharf", "щукарь")))
    assert [rule.name_ok(name) for name in ("mywharfname", "мойщукарьник", "mywinename")] == [False, False, True]


def test_a_caption_in_capitals_is_searched_for_patterns_that_tell_capitals_apart(ask: Ask) -> None:
    rule = TextFilter(Options(patterns=("(?-i)FRESH",)), [])
    assert rule.find("fresh") is None
    assert rule.check(ask(text="a", prompt="a", caption=Caption("fresh", "", "top_bottom")), 0.0) is not None


def test_ordinary_text_has_fewer_words_than_are_judged_and_what_has_more_is_refused(rule: TextFilter, ask: Ask) -> None:
    for part in ("R2-D2 & C-3PO @ 7-11, B-52s, MI6, T-800, K-9, ", "a castle on a hill, ", "Крути, пам'ятник, сніг і "):
        assert rule.find((part * 50)[:1000]) is None
    odd = " ".join(f"{chr(97 + number % 26)}x{number}字{number * 7}б" for number in range(80))
    refusal = rule.check(ask(text=odd, prompt=odd), 0.0)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "unread.plain"
    assert create(Options(doubtful="allow", kinds=())).find(odd) is not None


def test_the_words_of_all_texts_and_readings_of_a_request_count_together(rule: TextFilter, ask: Ask) -> None:
    finding = rule.find(" ".join(f"wz{chr(97 + number % 26)}{chr(98 + number // 26)}|/" for number in range(60)))
    assert finding is not None
    assert finding.code == "unread.encoded"


@pytest.mark.parametrize("unit", ["k", "K", "ja", "ха", "w", "5", "rs", "ah", "ハ", "ㅋ", "hue", "х", "к", "kek"])
def test_laughter_is_no_term_in_any_number_of_letters(rule: TextFilter, unit: str) -> None:
    laughs = [form for count in range(1, 31) for form in (unit * count, " ".join([unit] * count), f"{unit * count}k")]
    found = [laugh for laugh in laughs for line in (laugh, f"gato {laugh}", f"{laugh} gato") if rule.find(line)]
    assert found == []
    assert [laugh for laugh in laughs if len(laugh) <= 25 and not rule.name_ok(laugh)] == []


def test_a_sign_that_may_be_laughter_is_refused_beside_a_word_that_says_what_is_meant() -> None:
    rule = create(Options())
    sign = next(term.pattern for term in _SHIPPED if term.kind == "symbol")
    contexts = [term.core for term in _SHIPPED if term.kind == "context"]
    assert [word for word in contexts if rule.find(word) is not None or not blocked(rule, f"{sign} {word}")] == []
    assert blocked(rule, f"{'.'.join(sign)} {contexts[0]}")
    assert create(Options(kinds=("hate",))).find(f"{sign} {contexts[0]}") is None
    held = create(Options(hold=("extremism",))).find(f"{contexts[0]} {sign.upper()}")
    assert held is not None
    assert (held.outcome, held.code) == (Outcome.HOLD, "extremism.plain")
