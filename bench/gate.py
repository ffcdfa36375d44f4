"""Run the text filter on disguised words and on harmless prompts, beside two other filters.

Stand-in words replace the real terms, so nothing bad is readable here; the shipped list is active as well. A word is
caught when the request would be refused or held. For the comparison install better-profanity.
Usage: python -m bench.gate [--show-missed]
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from bench import benign, heldout, report
from bench.disguises import DISGUISES
from streamer.moderation.policy import Policy
from streamer.moderation.rules.cooldown import Cooldown
from streamer.moderation.rules.cooldown import Options as CooldownOptions
from streamer.moderation.rules.words import create
from streamer.moderation.text_filter.options import TextFilterOptions
from streamer.text import clean
from streamer.types import Actor, ImageRequest, Lane, Outcome, RequestKind, Role, SamplingParams

LATIN = ("marmalade", "zeppelin", "platypus", "bagpipes", "crumpets", "pelican", "tambourine", "cauliflower")
CYRILLIC = ("варенье", "дирижабль", "утконос", "волынка", "крыжовник", "пеликан", "бубенцы", "капуста")
WORDS = {"latin": LATIN, "cyrillic": CYRILLIC}
HARMLESS = {
    "latin": ("mountain", "elephant", "harbour", "umbrella", "sunlight", "painter", "lantern", "meadow"),
    "cyrillic": ("береза", "вокзал", "фонарь", "лошадка", "зеркало", "подушка", "ромашка", "кораблик"),
}
TERMS = tuple(f"{word}*" for word in (*LATIN, *CYRILLIC))
# The prompts must not hold a stand-in.
_STAND_INS = re.compile("|".join(word[:6] for word in (*LATIN, *CYRILLIC)), re.IGNORECASE)
CARRIERS = ("a large {} in the sky", "{}", "картина: {} ночью", "old photo of {} , 35mm")
LINES = 3000


def caught(judged: Callable[[str], bool], words: Mapping[str, Sequence[str]] = WORDS) -> dict[str, dict[str, float]]:
    """Return the share of disguised words that a filter stops, by category and script.

    A word that a disguise does not change proves nothing and does not count.
    """
    shares: dict[str, dict[str, float]] = {}
    for name, disguise in DISGUISES.items():
        for script, plain in words.items():
            hidden = [disguise(word) for word in plain if disguise(word) != word]
            texts = [carrier.format(word) for word in hidden for carrier in CARRIERS]
            if texts:
                shares.setdefault(name, {})[script] = sum(map(judged, texts)) / len(texts)
    return shares


def mean(shares: dict[str, dict[str, float]]) -> float:
    """Return the mean over categories and scripts."""
    return statistics.fmean(share for by_script in shares.values() for share in by_script.values())


def plain_list(terms: Sequence[str]) -> Callable[[str], bool]:
    """Return the filter that most people write first: lower case and word boundaries."""
    pattern = re.compile(r"\b(?:" + "|".join(term.replace("*", r"\w*") for term in terms) + r")\b")
    return lambda text: pattern.search(text.lower()) is not None


def better_profanity() -> Callable[[str], bool] | None:
    """Return the best-known filter on PyPI with the same words; None if it is not installed."""
    try:
        from better_profanity import Profanity
    except ImportError:
        return None
    other = Profanity()
    other.load_censor_words([word.rstrip("*") for word in TERMS])
    found: Callable[[str], bool] = other.contains_profanity
    return found


def milliseconds(make: Callable[[], Callable[[str], object]], texts: Sequence[str]) -> list[float]:
    """Return the milliseconds that a filter takes for each text: the median of three new filters."""
    rounds = [[_timed(judged, text) for text in texts] for judged in (make(), make(), make())]
    return [statistics.median(taken) for taken in zip(*rounds, strict=True)]


def _timed(judged: Callable[[str], object], text: str) -> float:
    started = time.perf_counter()
    judged(text)
    return (time.perf_counter() - started) * 1e3


def long_texts(prompts: Sequence[str], count: int) -> list[str]:
    """Return texts of 500 characters: joined prompts; in every third text each long word is disguised."""
    hidden = list(DISGUISES.values())
    texts = []
    for number in range(count):
        words = " ".join(prompts[(number * 7 + step) % len(prompts)] for step in range(14)).split()
        if number % 3 == 0:
            disguise = hidden[number % len(hidden)]
            words = [disguise(word) if len(word) > 6 and word.isalpha() and word.islower() else word for word in words]
        texts.append(" ".join(words)[:500])
    return texts


def refused_per_second(policy: Policy) -> float:
    """Return how many lines per second cooldown and filter refuse when a few viewers flood the chat; best of five."""
    requests = [_request(f"r{n}", f"u{n % 50}", f"stormy harbour number {n} at night") for n in range(20_000)]
    best = 0.0
    for round_ in range(5):
        started = time.perf_counter()
        refused = sum(policy.check(request, float(round_)) is not None for request in requests)
        best = max(best, refused / (time.perf_counter() - started))
    return best


def _request(request_id: str, user: str, text: str) -> ImageRequest:
    return ImageRequest(
        request_id, "bg", RequestKind.BACKGROUND, "background", text, text, SamplingParams(64, 64, 4, 1.0, 1),
        Actor(user, user, Role.VIEWER), Lane.CHAT, 0.0, 30.0,
    )  # fmt: skip


def _print_table(shares: dict[str, dict[str, float]]) -> None:
    for name, by_script in shares.items():
        if min(by_script.values()) < 1:
            print(f"{name:28}", *(f"{script} {share:4.0%}" for script, share in by_script.items()))


def main() -> None:
    """Measure; print the disguises that were missed, then the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show-missed", action="store_true")
    chosen = parser.parse_args()
    rule, shipped = create(TextFilterOptions(extra=TERMS)), create(TextFilterOptions())
    prompts = [line for line in benign.written() + benign.generated(LINES) if not _STAND_INS.search(line)]
    ours = caught(lambda text: rule.find(clean(text)) is not None)
    harmless = caught(lambda text: shipped.find(clean(text)) is not None, HARMLESS)
    raw = caught(lambda text: rule.find(text) is not None)
    _print_table(ours)
    kept = heldout.caught(lambda text: rule.find(clean(text)) is not None, WORDS, CARRIERS)
    print("held out:")
    _print_table(kept)
    kept_wrong = heldout.alarms(lambda text: shipped.find(clean(text)) is not None)
    wrong = [(found.code, line) for line in prompts if (found := shipped.find(clean(line))) is not None]
    if chosen.show_missed:
        print(*wrong, *(line for lines in kept_wrong.values() for line in lines), sep="\n")
    plain, other = plain_list(TERMS), better_profanity()
    texts = long_texts(prompts, 1500)
    ms = report.spread(milliseconds(lambda: create(TextFilterOptions(extra=TERMS)).find, texts))
    flood = refused_per_second(Policy([Cooldown(CooldownOptions()), rule]))
    metrics: dict[str, object] = {
        "categories": len(DISGUISES), "scripts": 2, "words": len(TERMS), "caught": round(mean(ours), 4),
        "caught_as_typed": round(mean(raw), 4),
        "categories_fully_caught": sum(min(shares.values()) == 1 for shares in ours.values()),
        "disguised_harmless_stopped": round(mean(harmless), 4),
        "prompts": len(prompts), "false_alarms": len(wrong),
        "false_blocks": sum(shipped.find(clean(line)).outcome is Outcome.BLOCK for _, line in wrong),  # type: ignore[union-attr]
        "ms_at_500": ms, "refused_per_s": round(flood), "plain_list_caught": round(mean(caught(plain)), 4),
    }  # fmt: skip
    metrics |= {
        "heldout_disguises": len(kept), "heldout_caught": round(mean(kept), 4),
        "heldout_disguises_fully_caught": sum(min(shares.values()) == 1 for shares in kept.values()),
        "heldout_prompts": {language: len(lines) for language, lines in heldout.prompts().items()},
        "heldout_false_alarms": {language: len(lines) for language, lines in kept_wrong.items()},
    }  # fmt: skip
    if other is not None:
        metrics |= {
            "better_profanity_caught": round(mean(caught(other)), 4),
            "better_profanity_ms_at_500": report.spread(milliseconds(lambda: other, texts[:60])),
        }
    report.finish(
        "gate", metrics,
        [report.at_least("share of disguises caught", mean(ours), 0.97),
         report.at_most("share of harmless prompts stopped", len(wrong) / len(prompts), 0.005),
         report.at_least("harmless prompts", len(prompts), 3000), report.at_least("categories", len(DISGUISES), 80),
         report.at_most("ms at 500 characters, p99", ms["p99"], 5),
         report.at_least("refused lines per second", flood, 100_000)],
    )  # fmt: skip


if __name__ == "__main__":
    main()
