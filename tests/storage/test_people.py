"""Everybody is found by an id, a login or a shown name, and nobody is taken for somebody else."""

from __future__ import annotations

import pytest

from streamer.storage.people import (
    NAMESAKES,
    NameList,
    People,
    forgotten_words,
    full_name,
    keys_of,
    name_key,
    several,
    unseen,
)
from streamer.types import Actor, Role

ANN = Actor("UCabc", "Ann", Role.VIEWER)
FOX = Actor("77", "Лисица", Role.VIEWER, "foxy")


@pytest.mark.parametrize("typed", ["ann", "@Ann", " ANN ", "ucabc", "UCabc", "Ａｎｎ"])
def test_somebody_is_found_by_name_and_by_id_in_any_letters(typed: str) -> None:
    assert People([ANN]).meant(typed) == (ANN,)


@pytest.mark.parametrize("typed", ["77", "foxy", "@FOXY", "лисица", "@Лисица"])
def test_a_shown_name_in_another_script_the_login_and_the_id_mean_the_same_person(typed: str) -> None:
    assert People([ANN, FOX]).meant(typed) == (FOX,)


def test_nobody_is_found_who_never_wrote() -> None:
    people = People()
    assert (people.meant("ann"), people.knows("UCabc")) == ((), False)


def test_a_new_name_is_found_and_an_old_one_still_leads_to_the_person_who_had_it() -> None:
    renamed = Actor("77", "Енот", Role.VIP, "raccoon")
    people = People([FOX, renamed])
    assert {people.meant(name) for name in ("77", "foxy", "лисица", "raccoon", "енот")} == {(renamed,)}


def test_a_name_that_somebody_else_has_now_means_them() -> None:
    renamed, heir = Actor("77", "Енот", Role.VIEWER, "raccoon"), Actor("78", "лисица", Role.VIEWER, "foxy")
    people = People([FOX, renamed, heir])
    assert (people.meant("foxy"), people.meant("Лисица")) == ((heir,), (heir,))


def test_an_id_goes_before_a_login_and_a_login_before_a_shown_name() -> None:
    by_id, by_login = Actor("123", "a", Role.VIEWER, "aaa"), Actor("8", "b", Role.VIEWER, "123")
    by_shown = Actor("9", "Aaa", Role.VIEWER, "ccc")
    people = People([by_shown, by_login, by_id])
    assert (people.meant("123"), people.meant("aaa")) == ((by_id,), (by_id,))


def test_a_shown_name_of_several_people_means_all_of_them_up_to_a_limit() -> None:
    twins = [Actor(str(number), "Близнец", Role.VIEWER, f"twin{number}") for number in range(NAMESAKES + 2)]
    assert People(twins).meant("близнец") == tuple(twins[2:])
    assert several("@Близнец", twins[:2]) == (
        "several people are called Близнец: Близнец (twin0), Близнец (twin1); say which one"
    )


def test_a_list_names_people_by_any_of_their_names() -> None:
    for entry in ("77", "@Foxy", "лисица "):
        assert FOX in NameList(["nightbot", entry])
        assert ANN not in NameList(["nightbot", entry])
    assert FOX not in NameList([])


def test_who_only_shows_a_login_is_not_whom_a_list_means_by_it() -> None:
    assert Actor("78", "Foxy", Role.VIEWER, "pretender") not in NameList(["foxy"])
    assert Actor("78", "Foxy", Role.VIEWER) in NameList(["foxy"]), "a platform without logins has shown names alone"


def test_keys_are_the_same_for_every_spelling() -> None:
    assert {name_key(spelling) for spelling in ("@Straße", "STRASSE ", "strasse", "ｓｔｒａｓｓｅ")} == {"strasse"}
    assert keys_of(FOX) == ("77", "foxy", "лисица")
    assert keys_of(Actor("7", "Ann", Role.VIEWER, "ann")) == ("7", "ann")


@pytest.mark.parametrize(
    ("actor", "name"), [(FOX, "Лисица (foxy)"), (ANN, "Ann"), (Actor("7", "Ann", Role.VIEWER, "ann"), "Ann")]
)
def test_the_login_is_told_where_it_differs_from_the_shown_name(actor: Actor, name: str) -> None:
    assert full_name(actor) == name
    assert forgotten_words(actor, known=True) == f"{name} is forgotten"


def test_of_somebody_unseen_nothing_but_an_id_is_known() -> None:
    actor = unseen(" 123 ")
    assert (actor.id, actor.role) == ("123", Role.VIEWER)
    assert forgotten_words(actor, known=False).startswith("nobody called 123 is known here")
