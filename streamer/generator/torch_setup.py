"""What has to be set before torch is imported, in the process that draws; this module imports nothing heavy."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def prepare() -> None:
    """Set what torch reads when it is imported and when it first allocates; what the user has set stays."""
    if sys.platform == "linux":
        # Pieces that can grow leave no holes between what warming up needs and what stays: 1.4 to 1.7 GB less on the
        # GPU (docs/SPEED.md).
        os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    # What Apple's GPUs cannot compute is computed on the processor.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")


def state_folder() -> Path:
    """Return the folder in which this process keeps what it has compiled, converted or measured."""
    return Path(os.environ.get("STREAMER_HOME", Path.home() / ".cache" / "streamer"))
