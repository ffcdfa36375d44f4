"""Pseudonyms and picture tags: they mean something to whoever has the key and the name, and nothing to anybody else."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streamer.errors import StoreError
from streamer.storage.pseudonyms import TAG_PATTERN, Pseudonyms


def test_a_tag_means_its_owner_and_its_request_and_nobody_else(tmp_path: Path) -> None:
    pseudonyms = Pseudonyms(tmp_path)
    tag = pseudonyms.picture_tag("r1", "ann")
    assert pseudonyms.tag_matcher("ann")(tag)
    assert pseudonyms.tag_matcher(None, ["r0", "r1"])(tag)
    assert not pseudonyms.tag_matcher("bob", ["r2"])(tag)
    assert not pseudonyms.tag_matcher(None)(tag)


def test_the_hash_that_stands_for_an_id_recognises_and_makes_the_same_tags(tmp_path: Path) -> None:
    pseudonyms = Pseudonyms(tmp_path)
    pseudonym = pseudonyms.pseudonym("ann")
    assert pseudonyms.tag_matcher(pseudonym)(pseudonyms.picture_tag("r1", "ann"))
    assert pseudonyms.tag_matcher("ann")(pseudonyms.picture_tag("r1", pseudonym))
    assert pseudonyms.pseudonym(pseudonym) == pseudonym


def test_two_tags_of_one_person_have_nothing_in_common_and_tell_no_name(tmp_path: Path) -> None:
    pseudonyms = Pseudonyms(tmp_path)
    first, second = pseudonyms.picture_tag("r1", "ann").split("."), pseudonyms.picture_tag("r2", "ann").split(".")
    assert not set(first) & set(second)
    assert TAG_PATTERN.fullmatch(f"streamer:{'.'.join(first)}".encode())


def test_another_installation_recognises_nothing_and_the_same_one_everything(tmp_path: Path) -> None:
    tag = Pseudonyms(tmp_path / "one").picture_tag("r1", "ann")
    assert Pseudonyms(tmp_path / "one").tag_matcher("ann")(tag)
    assert not Pseudonyms(tmp_path / "two").tag_matcher("ann", ["r1"])(tag)


def test_the_key_is_nobody_elses_to_read(tmp_path: Path) -> None:
    Pseudonyms(tmp_path).unlock()
    path = tmp_path / "secrets" / "pseudonym"
    assert len(path.read_bytes()) == 32
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_takes_no_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("in the way")
    with pytest.raises(StoreError, match="STREAMER_HOME"):
        Pseudonyms(tmp_path).unlock()


def test_two_programs_that_come_first_at_the_same_moment_have_one_key(tmp_path: Path) -> None:
    for turn in range(20):
        several = [Pseudonyms(tmp_path / str(turn)) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            names = list(threads.map(lambda pseudonyms: pseudonyms.pseudonym("ann"), several))
        assert len(set(names)) == 1
