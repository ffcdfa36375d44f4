"""What a generator backend must offer; it lives in the child process and is touched by one thread only.

A backend is a module in generator/backends with ``Options`` (a frozen pydantic model that forbids unknown keys)
and ``create(options) -> Backend``. Nothing happens at import; heavy libraries load in ``load``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streamer.types import ImageRequest

Pixels = npt.NDArray[np.uint8]
"""Height x width x 3 (RGB) or 4 (RGBA, straight alpha), 0 to 255."""

Report = Callable[[str, float], None]
"""Tell what is being done in a few words, and which share of it is done (0 to 1)."""


@dataclass(frozen=True, slots=True)
class StepCallback:
    """A point between denoising steps: draw() may be stopped here. ``pixels`` is a small preview or None."""

    step: int
    steps: int
    pixels: Pixels | None


class BackendPicture(Protocol):
    """A finished picture that may still be on the device."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def pixels(self) -> Pixels:
        """Copy the picture to the host."""
        ...

    def jpeg(self, quality: int) -> bytes | None:
        """Encode on the device, or return None to have the host encode pixels()."""
        ...


@dataclass(frozen=True, slots=True)
class HostPicture:
    """A finished picture in host memory."""

    array: Pixels

    @property
    def width(self) -> int:
        return int(self.array.shape[1])

    @property
    def height(self) -> int:
        return int(self.array.shape[0])

    def pixels(self) -> Pixels:
        return self.array

    def jpeg(self, quality: int) -> bytes | None:
        return None


class Backend(Protocol):
    """Draws pictures; every method is called from the same thread for the backend's whole life.

    One that cannot change a picture says so by an attribute ``edits = False``.
    """

    def load(self, report: Report) -> None:
        """Make weights and tables ready; raise BackendUnavailable with a fix when this machine cannot."""
        ...

    def warm_up(self, sizes: Sequence[tuple[int, int]], report: Report) -> None:
        """Run every (width, height) once so that the first real request is as fast as the rest."""
        ...

    def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
        """Yield a Step after each denoising step and last one Picture; closing the iterator cancels."""
        ...

    def active(self) -> dict[str, str]:
        """Name what is really in use (device, precision, kernels), for the panel and the status route."""
        ...

    def close(self) -> None:
        """Give memory back."""
        ...
