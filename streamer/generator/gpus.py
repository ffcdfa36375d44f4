"""Which NVIDIA GPUs this machine has, asked of the driver's own tool, without torch."""

from __future__ import annotations

import shutil
import subprocess  # nosec B404 - runs nvidia-smi alone
from dataclasses import dataclass

TIMEOUT_S = 10.0
_FIELDS = "name,memory.total,memory.free,driver_version,compute_cap"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as nvidia-smi describes it; memory with its unit, such as "24564 MiB"."""

    name: str
    total: str
    free: str
    driver: str
    capability: str

    @property
    def memory_gb(self) -> float:
        """Return the whole memory in 10^9 bytes."""
        return float(self.total.split()[0]) * 2**20 / 1e9


def tool() -> str | None:
    """Return where the driver's tool is; None on a machine without the driver."""
    return shutil.which("nvidia-smi")


def installed() -> list[Gpu]:
    """List the GPUs; empty without the driver. Raises OSError or SubprocessError if its tool fails."""
    found = tool()
    if found is None:
        return []
    query = [found, f"--query-gpu={_FIELDS}", "--format=csv,noheader"]
    asked = subprocess.run(query, capture_output=True, timeout=TIMEOUT_S, check=True)  # nosec B603
    lines = asked.stdout.decode(errors="replace").strip().splitlines()
    return [Gpu(*(part.strip() for part in line.split(","))) for line in lines]
