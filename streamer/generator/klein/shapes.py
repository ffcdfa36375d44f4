"""How large one picture is, counted in pixels and in tokens: everything that is prepared is prepared per shape."""

from __future__ import annotations

from dataclasses import dataclass

PATCH = 16
"""One token stands for this many pixels squared: eight by the VAE, two by packing."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A picture's size in pixels, its text length in tokens, and the size of the picture it edits, if any."""

    width: int
    height: int
    text_tokens: int
    reference: tuple[int, int] | None = None

    @property
    def rows(self) -> int:
        return self.height // PATCH

    @property
    def columns(self) -> int:
        return self.width // PATCH

    @property
    def image_tokens(self) -> int:
        return self.rows * self.columns

    @property
    def reference_tokens(self) -> int:
        return 0 if self.reference is None else (self.reference[0] // PATCH) * (self.reference[1] // PATCH)

    @property
    def tokens(self) -> int:
        return self.text_tokens + self.image_tokens + self.reference_tokens

    def __str__(self) -> str:
        edited = "" if self.reference is None else f" editing {self.reference[0]}x{self.reference[1]}"
        return f"{self.width}x{self.height}{edited}"


def whole_patches(width: int, height: int) -> tuple[int, int]:
    """Round a size down to whole tokens, as the stock pipeline does, never below four of them."""
    return max(4 * PATCH, width // PATCH * PATCH), max(4 * PATCH, height // PATCH * PATCH)
