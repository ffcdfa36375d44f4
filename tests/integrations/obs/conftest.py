"""One real OBS for all the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.real_obs import RealObs, real_obs


@pytest.fixture(scope="session")
def running_obs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealObs]:
    """Start OBS once for the whole session."""
    with real_obs(tmp_path_factory.mktemp("obs")) as obs:
        yield obs


@pytest.fixture
def real(running_obs: RealObs) -> RealObs:
    """Give a test the running OBS, with one empty scene."""
    running_obs.reset()
    return running_obs


@pytest.fixture(scope="session")
def running_obs_with_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealObs]:
    """Start a second OBS for the whole session, which knows browser sources."""
    with real_obs(tmp_path_factory.mktemp("obs"), browser_source=True) as obs:
        yield obs


@pytest.fixture
def with_browser(running_obs_with_browser: RealObs) -> RealObs:
    """Give a test the OBS that knows browser sources, with one empty scene."""
    running_obs_with_browser.reset()
    return running_obs_with_browser
