"""What a model's name in config.yaml means: a folder here, or an id of the hub; whatever is neither is explained."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from streamer.errors import BackendUnavailable
from streamer.generator.checkpoint_check import INDEX, WEIGHTS_FILES, WHAT_TO_GIVE, folder_meant

HUB_PAGE = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([^/?#]+/[^/?#]+).*")
HUB_ID = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9_][\w.-]*/[\w.-]*[A-Za-z0-9_]", re.ASCII)
LONGEST_HUB_ID = 96
WINDOWS_PATH = re.compile(r"([A-Za-z]):[\\/](.*)")


def hub_id(model: str) -> str:
    """Return a model's name as an id of the hub; the address of its page there means its id."""
    model = model.strip().rstrip("/")
    page = HUB_PAGE.fullmatch(model)
    return page[1] if page else model


def local_folder(model: str) -> Path | None:
    """Return the folder that a model's name means, or None for an id of the hub.

    Raises BackendUnavailable for what is neither.
    """
    model = model.strip()
    folder = Path(os.path.expanduser(model))  # Path.expanduser raises for a user who does not exist
    if model and folder.is_dir():
        return folder
    if model.lower().endswith(WEIGHTS_FILES) or folder.is_file():
        raise BackendUnavailable(
            f"{model} is one file, and a model is a folder with {INDEX} in it",
            fix=folder_meant(folder.parent) or WHAT_TO_GIVE,
        )
    windows = WINDOWS_PATH.fullmatch(model)
    if windows and sys.platform != "win32":
        mounted = f"/mnt/{windows[1].lower()}/" + windows[2].replace("\\", "/")
        raise BackendUnavailable(f"there is no folder {model}: that is a Windows path", fix=f"in WSL write {mounted}")
    if not HUB_ID.fullmatch(hub_id(model)) or len(hub_id(model)) > LONGEST_HUB_ID:
        raise BackendUnavailable(f"there is no folder {model or '(the name is empty)'}", fix=WHAT_TO_GIVE)
    return None
