"""What a generator backend must offer; it lives in the worker process, and only one thread touches it.

A backend is a module in generator/backends with ``Options`` (a frozen pydantic model that forbids unknown keys)
and ``create(options) -> Backend``. Importing it has no effects; heavy libraries load in ``load``. It may have
``check_files(options)``, which raises BackendUnavailable for files that cannot be used, at once and without libraries;
one that draws with LoRAs has ``check_loras(options, loras)`` too.
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
"""Called with what is being done, in a few words, and the share that is done (0 to 1)."""


@dataclass(frozen=True, slots=True)
class StepCallback:
    """A point between two denoising steps at which draw() may be stopped; ``pixels`` is a small preview or None."""

    step: int
    steps: int
    pixels: Pixels | None


class BackendPicture(Protocol):
    """A finished picture that may still lie in GPU memory."""

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        ...

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        ...

    def pixels(self) -> Pixels:
        """Copy the picture to the host."""
        ...

    def jpeg(self, quality: int) -> bytes | None:
        """Encode on the GPU; None leaves it to the host to encode pixels()."""
        ...


@dataclass(frozen=True, slots=True)
class HostPicture:
    """A finished picture in host memory."""

    array: Pixels

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        return int(self.array.shape[1])

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        return int(self.array.shape[0])

    def pixels(self) -> Pixels:
        """Return the array itself."""
        return self.array

    def jpeg(self, quality: int) -> bytes | None:
        """Leave the encoding to the host."""
        return None


class Backend(Protocol):
    """Draws pictures; the same thread calls every method for the backend's whole life.

    A backend that cannot change an existing picture has an attribute ``edits = False``; one that cannot draw any number
    of steps has ``most_steps``; one that cannot read any length of text says in ``left_out_words`` whether the last
    picture was drawn without some of its author's words. One that draws with LoRAs has ``expect_loras(loras)``, called
    before ``load`` with those that requests may ask for.
    """

    def load(self, report: Report) -> None:
        """Load weights and tables; raise BackendUnavailable with a fix if this machine cannot run the backend."""
        ...

    def warm_up(self, sizes: Sequence[tuple[int, int]], report: Report) -> None:
        """Run every (width, height) once, so that the first real request is as fast as the rest."""
        ...

    def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
        """Yield a StepCallback after each denoising step and one picture last; closing the iterator cancels."""
        ...

    def active(self) -> dict[str, str]:
        """Name what is really in use (device, precision, kernels), for the panel and the status route."""
        ...

    def close(self) -> None:
        """Free memory."""
        ...


def device_is_lost(error: Exception) -> bool:
    """Tell whether CUDA is unusable until the process is restarted, as NVIDIA says of such errors."""
    return type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error)


def one_line(error: Exception) -> str:
    """Describe an unexpected exception in one line of at most 300 characters.

    That is its first line, and the next ones where a heading alone says nothing.
    """
    heading, _, details = str(error).partition("\n")
    said = f"{heading} {details}" if heading.rstrip().endswith(":") else heading
    return " ".join(f"{type(error).__name__}: {said}".split())[:300]
