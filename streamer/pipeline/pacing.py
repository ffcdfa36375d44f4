"""How long each picture stays on air before a viewer's next one may replace it."""

from __future__ import annotations


class LayerPacing:
    """The moment (monotonic seconds) from which each layer may take the next viewer's picture."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}

    def is_free(self, layer: str, now: float) -> bool:
        """Tell whether a viewer's picture may replace what the layer shows."""
        return self._free_at.get(layer, 0.0) <= now

    def keep(self, layer: str, until: float) -> None:
        """Let the picture on a layer be seen until a moment."""
        self._free_at[layer] = until

    def free(self, layer: str) -> None:
        """Let the next picture come to a layer at once."""
        self._free_at.pop(layer, None)

    def free_all(self) -> None:
        """Let the next picture come to any layer at once."""
        self._free_at.clear()

    def wakeup(self, now: float) -> float | None:
        """Return when the next layer becomes free."""
        return min((moment for moment in self._free_at.values() if moment > now), default=None)
