from __future__ import annotations

import pytest

from streamer.errors import BackendUnavailable
from streamer.generator.judges._checkpoint import checkpoint_errors, classes_of


def test_labels_are_found_in_any_capitals() -> None:
    assert classes_of({0: "SFW", 1: "NSFW"}, {"nsfw": "sexual"}, "m") == {1: "sexual"}


def test_a_label_that_the_checkpoint_does_not_have_is_an_error_with_those_it_has() -> None:
    with pytest.raises(BackendUnavailable, match=r"m has no label porn; it has: SFW, NSFW"):
        classes_of({0: "SFW", 1: "NSFW"}, {"porn": "sexual"}, "m")


@pytest.mark.parametrize(
    ("error", "fix"), [(OSError("no file\nmore"), "go online once"), (ModuleNotFoundError(name="torch"), "klein")]
)
def test_what_loading_raises_becomes_one_error_with_a_fix(error: Exception, fix: str) -> None:
    with pytest.raises(BackendUnavailable, match=fix) as caught, checkpoint_errors("m"):
        raise error
    assert "more" not in str(caught.value)
