"""Reading a prompt: known words in two languages, in their inflected forms, and nothing that fails."""

from __future__ import annotations

import pytest

from streamer.generator.procedural.plan.idea import read
from tests.support.drawings import drawings


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("misty mountains", "mountains"), ("в горах", "mountains"), ("neon city", "city"), ("по городу", "city"),
        ("on the beach", "sea"), ("у моря", "sea"), ("тёмный лес", "forest"), ("в лесу", "forest"),
        ("лесной дух", "forest"), ("galaxy", "space"), ("в космосе", "space"), ("комнаты", "room"), ("dunes", "desert"),
    ],
)  # fmt: skip
def test_places_are_known_in_both_languages_and_in_any_case(prompt: str, place: str) -> None:
    assert place in read(prompt).places


@pytest.mark.parametrize("prompt", ["лестница", "сельдь", "порция", "seal", "fieldwork-free catalogue"])
def test_a_short_word_does_not_match_longer_ones_it_happens_to_begin(prompt: str) -> None:
    idea = read(prompt)
    assert not {"forest", "sea"} & set(idea.places)


@pytest.mark.parametrize(
    ("prompts", "place"),
    [
        ("beach|playa|Strand|plage|praia|spiaggia|plaża|пляж|ビーチ|海滩|해변에서|plajda", "sea"),
        ("forest|bosque|im Wald|forêt|floresta|bosco|w lesie|у лісі|森の中|树林里|숲에서|ormanda", "forest"),
        ("mountains|montaña|Berge|montagnes|montanha|montagna|w górach|в горах|雪山|山上|산에서|dağlarda", "mountains"),
        ("city|ciudad|Großstadt|ville|cidade|città|miasto|місто|夜の街|城市|도시의|şehirde", "city"),
        ("space|espacio|im Weltraum|espace|espaço|spazio|kosmos|космос|宇宙|太空|우주에서|uzayda", "space"),
        ("desert|desierto|Wüste|désert|deserto|nel deserto|pustynia|пустеля|砂漠|沙漠|사막에서|çölde", "desert"),
        ("room|habitación|Wohnzimmer|chambre|quarto|cucina|pokój|кімната|部屋|房间|방에서|odada", "room"),
        ("lake|lago|Bergsee|lac|lagoa|fiume|jezioro|озеро|湖|河|호수|gölde", "lake"),
        ("village|pueblo|Dorf|hamlet|vila|villaggio|wioska|село|村|村庄|마을|köyde", "village"),
        (
            "on the moon|auf dem Mond|sur la lune|en la luna|na lua|sulla luna|на луне|na księżycu|月の上|달에서|ayda",
            "moonscape",
        ),
    ],
)
def test_places_are_known_in_many_languages(prompts: str, place: str) -> None:
    assert [prompt for prompt in prompts.split("|") if place not in read(prompt).places] == []


@pytest.mark.parametrize(
    ("prompts", "hour"),
    [
        ("night|noche|Nacht|nuit|noite|notte|nocą|вночі|夜の|夜晚|밤에|gece", "night"),
        ("sunset|atardecer|Sonnenuntergang|coucher de soleil|pôr do sol|tramonto|夕焼け|日落|노을|gün batımı", "dusk"),
        ("sunrise|amanecer|Sonnenaufgang|lever du soleil|amanhecer|alba|świt|світанок|夜明け|清晨|새벽|şafak", "dawn"),
    ],
)
def test_hours_are_known_in_many_languages(prompts: str, hour: str) -> None:
    assert [prompt for prompt in prompts.split("|") if read(prompt).time != hour] == []


@pytest.mark.parametrize(
    ("prompts", "weather"),
    [
        ("rain|lluvia|Regen|pluie|chuva|pioggia|deszcz|дощ|雨の|下雨|비가 온다|yağmur", "rain"),
        ("snow|nieve|Schnee|neige|neve|śnieg|сніг|雪の|눈이 온다|karlı", "snow"),
    ],
)
def test_weather_is_known_in_many_languages(prompts: str, weather: str) -> None:
    assert [prompt for prompt in prompts.split("|") if weather not in read(prompt).weather] == []


def test_a_word_of_place_is_not_a_drawing_as_well() -> None:
    with drawings(field="1f33b", cat="1f408"):
        assert [figure.key for figure in read("a cat in a field").cast] == ["1f408"]


@pytest.mark.parametrize("prompt", ["a surfer with a goldfish", "белка и голубь", "мороженое", "雪だるま", "вишня"])
def test_a_creature_or_thing_whose_name_begins_like_a_colour_or_a_place_is_shown(prompt: str) -> None:
    assert read(prompt).cast
    assert not read(prompt).hues


@pytest.mark.parametrize(
    ("prompt", "word", "shown"), [("an orange", "orange", 1), ("an orange sky", "orange", 0), ("lime", "lime", 1)]
)
def test_a_fruit_that_is_a_colour_is_a_fruit_where_it_colours_nothing(prompt: str, word: str, shown: int) -> None:
    assert len(read(prompt).cast) == shown


@pytest.mark.parametrize(
    "prompt", ["海老の天ぷら", "家族と犬", "una taza sobre la mesa", "las gatas", "бурый медведь", "лаванда"]
)
def test_a_part_of_another_word_is_no_place_and_no_weather(prompt: str) -> None:
    idea = read(prompt)
    assert not {"sea", "desert", "forest"} & set(idea.places)
    assert not idea.weather
    assert not idea.has("cabin", "volcano")


def test_short_words_of_a_place_are_understood() -> None:
    assert read("the sea").understood == 1.0
    assert read("눈 오는 마을").understood == 1.0


def test_a_colour_beside_a_thing_is_the_thing_s_own_and_not_the_sky_s() -> None:
    with drawings(car="1f697"):
        idea = read("a red car under a purple sky")
    assert idea.hues == (305.0,)
    assert [figure.dye and figure.dye.hue for figure in idea.cast] == [25.0]


@pytest.mark.parametrize(
    ("prompt", "least", "most"),
    [
        ("cat in the forest", 1.0, 1.0), ("existential dread on a monday", 0.0, 0.3), ("", 0.0, 0.0),
        ("a cat with tremendous bureaucracy", 0.05, 0.3), ("森の猫", 0.5, 1.0),
    ],
)  # fmt: skip
def test_how_much_was_understood_is_told_by_letters(prompt: str, least: float, most: float) -> None:
    with drawings(cat="1f408"):
        assert least <= read(prompt).understood <= most


def test_the_look_is_read_from_the_whole_prompt_and_the_figures_from_the_viewers_words() -> None:
    with drawings(cat="1f408", whale="1f40b"):
        idea = read("cat", "whale, loose watercolour on rough paper")
    assert [figure.key for figure in idea.cast] == ["1f408"]
    assert idea.styles == ("watercolour",)


def test_order_case_and_width_of_letters_do_not_hide_words() -> None:
    idea = read("ＮＥＯＮ Purple CITY, дождь ночью")
    assert (idea.time, idea.hues, idea.places) == ("night", (305.0,), ("city",))
    assert idea.has("neon", "rain")


def test_hyphenated_words_are_read_whole_and_in_parts() -> None:
    assert read("black-and-white").has("mono")
    assert read("cyber-city").places == ("city",)


def test_the_salt_follows_every_character() -> None:
    assert len({read(text).salt for text in ("", "a", "b", "ab", "😂", "😂😂")}) == 6


@pytest.mark.parametrize("prompt", ["", "\x00\x1b[31m", "\ud800", "\u202e" * 500, "é" * 5000, "-" * 500])
def test_no_prompt_is_too_strange(prompt: str) -> None:
    assert read(prompt).places == ()
