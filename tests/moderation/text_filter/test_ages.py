"""Ages under eighteen, in nine languages; states of undress are named by id."""

from __future__ import annotations

import pytest

from streamer.moderation.rules.words import Options, create
from streamer.moderation.text_filter import lexicon, normalize
from streamer.moderation.text_filter.ages import under_eighteen
from streamer.moderation.text_filter.filter import TextFilter
from streamer.types import Outcome

PATTERNS = {term.id: term.core for term in lexicon.shipped()}
STATES = {
    "en": "undress-1", "de": "undress-de-1", "fr": "undress-fr-1", "es": "undress-es-1", "pt": "undress-pt-4",
    "pl": "undress-pl-1", "tr": "undress-tr-1", "ru": "undress-21", "uk": "undress-uk-4",
}  # fmt: skip
AGES = {
    "en": "12 yo|12yo|12 years old|twelve-year-old|she is 12|aged 12|7th grader|seventh grade|12y/o|tw3lve year old|"
    "1 2 y o|her 12th birthday|under 18|turned thirteen|12 yеаrs оld|１２ yo|12 YO|9 months old|"
    "born 11 years ago|she is 17 and a half|sixteeen years old|"
    "f13|not quite eighteen yet|fiveteen years old",
    "de": "12 Jahre alt|12-jährige|zwölfjährige|zwölf Jahre|7. Klasse|siebte Klasse|Siebtklässlerin|sie ist 12|"
    "vor 11 Jahren geboren|fünfzen Jahre|1O-jährig|noch nicht 18|"
    "w17|aus der 8b|grad dreizehn geworden",
    "fr": "12 ans|âgée de 12 ans|douze ans|dix-sept ans|elle a 12 ans|en 6ème|en sixième|élève de CM2|moins de 18 ans|"
    "née il y a 11 ans|pas encore 18 ans",
    "es": "12 años|doce años|tiene 12|7º de primaria|sexto grado|2º de la ESO|alumna de primaria|"
    "nació hace 11 años|diecisiete tacos|aún no tiene 18|"
    "una nena de trece|chavala 16a",
    "pt": "12 anos|doze anos|ela tem 12|7º ano|sétima série|sexto ano|ensino fundamental|com dezesseis anos|"
    "nasceu há 11 anos|quinse anos|ainda não tem 18|"
    "mina de quinze|de menor, 17",
    "pl": "12 lat|12-latka|dwunastolatka|dwunastoletnia|dwanaście lat|siódma klasa|w wieku 12 lat|siódmoklasistka|"
    "urodzona 11 lat temu|nie ma jeszcze 18|"
    "k15|niecałe 17|rocznikowo dwanaście",
    "tr": "12 yaşında|on iki yaşında|oniki yaşında|7. sınıf|yedinci sınıf|ortaokul öğrencisi|on yedi yaşında|"
    "11 yıl önce doğmuş|16lık|daha 18 olmadı|on altısına yeni girdi|"
    "16sında|daha 18'ini doldurmadı",
    "ru": "12 лет|12летняя|двенадцатилетняя|ей 12|двенадцать лет|7 класс|семиклассница|ученица седьмого класса|12 лeт|"
    "родилась 11 лет назад|пятнацать лет|ей исполнилось 13|"
    "лет эдак пятнадцати|шестнадцати ещё нет|одиннадцатый год пошел",
    "uk": "12 років|12-річна|дванадцятирічна|їй 12|п'ятнадцять років|п’ятнадцятирічна|7 клас|семикласниця|"
    "народилася 11 років тому|виповнилось 13|"
    "десь під п'ятнадцять",
}
ADULTS_AND_SPANS = {
    "en": "25 years old|18 yo|twenty-five year old|2,000 years old|12 years ago|112 years old|for 12 years|12 people|"
    "eighteen years old|18.5 years old|she is 12 feet tall|12 years a slave|17th century|iphone 12|first class",
    "de": "25 Jahre alt|fünfundzwanzigjährige|vor 12 Jahren|seit 12 Jahren|12 Jahre lang|erstklassig",
    "fr": "25 ans|vingt-cinq ans|soixante-douze ans|il y a 12 ans|quatre-vingt-dix ans|dix-huit ans|en 3 couleurs",
    "es": "25 años|treinta y cinco años|hace 12 años|12 años después|doce monos",
    "pt": "25 anos|vinte e cinco anos|há 12 anos|12 anos depois",
    "pl": "25 lat|dwadzieścia pięć lat|12 lat temu|od 12 lat|dwudziestoletnia",
    "tr": "25 yaşında|yirmi beş yaşında|12 yıl|on sekiz yaşında",
    "ru": "25 лет|двадцатипятилетняя|двадцать пять лет|через 12 лет|12 лет назад|2000 лет|первоклассный отель",
    "uk": "25 років|двадцять п'ять років|12 років тому|за 12 років|двадцятип'ятирічна",
}


def _lines(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(language, line) for language, lines in table.items() for line in lines.split("|")]


@pytest.fixture(scope="module")
def rule() -> TextFilter:
    return create(Options())


@pytest.mark.parametrize(("language", "age"), _lines(AGES))
def test_an_age_is_harmless_alone_and_refused_beside_a_state_of_undress(
    rule: TextFilter, language: str, age: str
) -> None:
    assert rule.find(f"{age}, castle") is None
    finding = rule.find(f"{age}, {PATTERNS[STATES[language]]}")
    assert finding is not None
    assert (finding.outcome, finding.code) == (Outcome.BLOCK, "minors.together")


@pytest.mark.parametrize(("language", "line"), _lines(ADULTS_AND_SPANS))
def test_adults_and_spans_of_time_may_stand_beside_it(rule: TextFilter, language: str, line: str) -> None:
    assert rule.find(f"{line}, {PATTERNS[STATES[language]]}") is None


@pytest.mark.parametrize(
    "line",
    ["my 12 year old cat", "12 years a slave", "whisky aged 12 years", "the 12 year old kid plays chess", "12 Monkeys"],
)
def test_an_age_alone_is_harmless(rule: TextFilter, line: str) -> None:
    assert rule.find(line) is None


def test_one_of_both_in_disguise_is_held_even_where_other_guesses_are_allowed() -> None:
    rule = create(Options(doubtful="allow"))
    state, age = PATTERNS["undress-2"], PATTERNS["age-18"]
    for line in (f"12 yo, {state[::-1]}", f"girl in {state[:3]}*{state[4:]}", f"{age[:3]}*{age[4:]} in {state}"):
        finding = rule.find(line)
        assert finding is not None
        assert (finding.outcome, finding.code) == (Outcome.HOLD, "minors.together")
    assert rule.find(f"harbour, {state[::-1]}") is None


@pytest.mark.parametrize("line", ["kids playing with things", "a boy with a bandage", "teen parties with patties"])
def test_an_ordinary_word_that_looks_like_a_disguised_state_is_known(rule: TextFilter, line: str) -> None:
    assert rule.find(line) is None


def test_a_text_with_more_numbers_than_are_searched_counts_as_if_it_said_an_age() -> None:
    assert not under_eighteen(normalize.fold("30 " * 40))
    assert under_eighteen(normalize.fold("30 " * 41))
