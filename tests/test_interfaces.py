"""The interfaces: what the program itself implements fits them."""

from __future__ import annotations

import inspect
from typing import Protocol, get_type_hints

import pytest

from streamer import interfaces, plugins
from streamer.generator.pool_channel import PoolChannel, PoolLease
from streamer.interfaces import Generator, Lease, Output, Rule, Source
from streamer.moderation.policy import implements
from streamer.moderation.rules import words
from streamer.moderation.rules.length import Length
from streamer.outputs.archive import Archive
from streamer.triggers.replay import Replay


def members(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("protocol", "offered"),
    [(Generator, PoolChannel), (Lease, PoolLease), (Output, Archive), (Rule, Length), (Source, Replay)],
)
def test_every_implementation_has_every_member_of_its_interface(protocol: type, offered: type) -> None:
    assert members(protocol) <= {name for name, _ in inspect.getmembers(offered)}


def test_every_member_of_every_interface_has_types() -> None:
    for _, protocol in inspect.getmembers(interfaces, inspect.isclass):
        if (Protocol in protocol.__mro__ and protocol is not Protocol) or protocol is Rule:
            for name in members(protocol):
                member = vars(protocol)[name]
                function = member.fget if isinstance(member, property) else member
                assert "return" in get_type_hints(function), f"{protocol.__name__}.{name}"


def test_a_rule_that_judges_names_is_found_by_its_method() -> None:
    assert implements(words.create(words.Options()), "name_ok")
    assert not implements(plugins.create("rule", "length", plugins.options_of("rule", "length")()), "name_ok")
