"""The size of one picture in pixels and in tokens; whatever is prepared ahead of time is prepared per shape."""

from __future__ import annotations

from dataclasses import dataclass

PATCH = 16
"""The side in pixels that one token covers: a factor of eight by the VAE, two by packing."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A picture's size in pixels, its text length in tokens, and the size in pixels of the picture it edits, if any."""

    width: int
    height: int
    text_tokens: int
    reference: tuple[int, int] | None = None

    @property
    def rows(self) -> int:
        """The tokens along the height."""
        return self.height // PATCH

    @property
    def columns(self) -> int:
        """The tokens along the width."""
        return self.width // PATCH

    @property
    def image_tokens(self) -> int:
        return self.rows * self.columns

    @property
    def reference_tokens(self) -> int:
        return 0 if self.reference is None else (self.reference[0] // PATCH) * (self.reference[1] // PATCH)

    @property
    def tokens(self) -> int:
        """The length L of the whole sequence: text, picture and reference."""
        return self.text_tokens + self.image_tokens + self.reference_tokens

    def __str__(self) -> str:
        edited = "" if self.reference is None else f" editing {self.reference[0]}x{self.reference[1]}"
        return f"{self.width}x{self.height}{edited}"


def whole_patches(width: int, height: int) -> tuple[int, int]:
    """Round a size in pixels down to whole tokens, as the stock pipeline does, but never below four tokens a side."""
    return max(4 * PATCH, width // PATCH * PATCH), max(4 * PATCH, height // PATCH * PATCH)
