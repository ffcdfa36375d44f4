"""The options of the queue: how much may wait, and for how long."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class QueueOptions(BaseModel):
    """How much may wait, and for how long; ``queue`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(50, ge=1, le=1000, description="how many different pictures may be queued at once")
    per_viewer: int = Field(
        1, ge=1, le=10, description="how many of them may belong to one viewer; a newer request replaces an older one"
    )
    expires_s: float = Field(
        30.0,
        gt=0,
        description="longest wait of a picture: a request that would wait longer is refused at once and told how long; "
        "one that is delayed after it was accepted expires after twice this time. While nothing can be drawn, no time "
        "counts",
    )
    same_s: float = Field(
        60.0,
        ge=0,
        le=3600,
        description="for this long, repeating a request that was shown or refused draws no new picture; 0: always draw",
    )
    preempt: bool = Field(
        True,
        description="true: your own request preempts a viewer's between two steps; the viewer's is drawn afterwards",
    )

    @property
    def gives_up_s(self) -> float:
        """Return after how long an accepted request expires: better late than in vain, but not at any price."""
        return 2 * self.expires_s
