"""What is wrong with a value is said in plain words, once for each value."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from streamer.config_messages import by_place, did_you_mean, in_words, unknown_key


class Fruit(StrEnum):
    APPLE = "apple"
    PEAR = "pear"


class Nut(StrEnum):
    HAZEL = "hazel"


def no_seven(value: int) -> int:
    if value == 7:
        raise ValueError("is unlucky; use 8")
    return value


class Basket(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Fruit | Nut = Fruit.APPLE
    count: Annotated[int, AfterValidator(no_seven)] = Field(1, le=9)
    weight: float = 0.5
    sweet: bool = True
    names: tuple[str, ...] = Field((), max_length=2)
    size: Literal["small", "large"] = "small"


class Shop(BaseModel):
    model_config = ConfigDict(extra="forbid")
    baskets: dict[str, Basket] = {}
    first: Basket = Basket()
    prices: dict[Literal["apple"], int] = {}


def found(data: object) -> dict[str, tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Shop.model_validate(data)
    places = by_place(caught.value.errors(include_url=False), data)
    return {".".join(map(str, place)): in_words(errors) for place, errors in places.items()}


@pytest.mark.parametrize(
    ("entry", "problem", "fix"),
    [
        ({"count": "many"}, "must be a whole number, not 'many'", ""),
        ({"count": 1.5}, "must be a whole number, not 1.5", ""),
        ({"count": None}, "must be a whole number, and nothing stands there", ""),
        ({"count": 10}, "must be less than or equal to 9, not 10", ""),
        ({"count": 7}, "is unlucky; use 8, not 7", ""),
        ({"weight": "heavy"}, "must be a number, not 'heavy'", ""),
        ({"sweet": "maybe"}, "must be true or false, not 'maybe'", ""),
        ({"names": True}, "must be a list, not true", "begin each entry with '- ', or write [one, two]"),
        ({"names": ["a", "b", "c"]}, "must have at most 2 items after validation, not 3", ""),
        ({"count": ""}, "must be a whole number, not ''", ""),
        ({"kind": "aple"}, "must be one of apple, pear, hazel, not 'aple'", "did you mean 'apple'?"),
        ({"size": "tiny"}, "must be one of small, large, not 'tiny'", ""),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(entry: dict[str, object], problem: str, fix: str) -> None:
    key = next(iter(entry))
    assert found({"baskets": {"blue": entry}}) == {f"baskets.blue.{key}": (problem, fix)}


def test_places_are_those_of_the_file() -> None:
    assert found({"first": 5}) == {"first": ("must be a mapping, not 5", "write it like {key: value}")}
    assert found({"first": []})["first"][0] == "must be a mapping, not a list"
    assert list(found({"prices": {"plum": 1}})) == ["prices.plum"]
    assert list(found({"first": {"names": ["a", 1]}})) == ["first.names.1"]


def test_an_unknown_key_is_answered_with_the_one_that_was_meant() -> None:
    assert unknown_key("cuont", Basket)[1].startswith("did you mean 'count'? allowed: count, kind")
    assert unknown_key("colour", Basket)[1].startswith("allowed: count")
    assert unknown_key("sweet", Shop) == (
        "there is no such key here", "it belongs below baskets or first: indent it there",
    )  # fmt: skip
    assert unknown_key("\u00a0count", Basket) == (
        "'count' has a no-break space before or behind it", "write plain spaces",
    )  # fmt: skip


def test_capitals_do_not_hide_what_was_meant() -> None:
    assert did_you_mean("SERVER", ["server", "layers"]) == "did you mean 'server'?"
    assert did_you_mean("xyz", ["server"]) == ""
