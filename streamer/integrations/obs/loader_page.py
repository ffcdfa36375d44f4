"""The page OBS loads from disk: it waits for the server, then goes to the overlay; OBS retries no failed load."""

from __future__ import annotations

import json
import os
from pathlib import Path

from streamer.errors import StoreError

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Stream overlay: waiting for streamer</title>
<style>html, body { margin: 0; background: transparent; overflow: hidden }</style>
<script>
// Written by streamer at every start; changes made here are lost. Keep it to yourself: it holds the overlay's token.
const overlay = %s;
const alive = new URL('healthz', overlay).href;
let asking = false;

async function look() {
  if (asking) return;
  asking = true;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), 3000);
  try {
    // The answer cannot be read from here; that there is one is enough.
    await fetch(alive, { mode: 'no-cors', cache: 'no-store', signal: patience.signal });
    location.replace(overlay);
  } catch {
    setTimeout(look, 1000);
  } finally {
    clearTimeout(timer);
    asking = false;
  }
}

// Timers of a hidden page may sleep for a minute.
document.addEventListener('visibilitychange', look);
window.addEventListener('obsSourceVisibleChanged', look);
look();
</script>
</html>
"""


def page(url: str) -> str:
    """Return the page that leads to ``url``."""
    # "</" would end the script early; JSON may write the slash with a backslash.
    return _PAGE % json.dumps(url).replace("</", "<\\/")


def write(folder: Path, key: str, url: str) -> Path:
    """Write the page for one group of layers, mode 0600; return its path."""
    path = folder / f"{key}.html"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(page(url))
        draft.replace(path)
    except OSError as error:
        raise StoreError(str(path), error.strerror or "cannot be written") from error
    return path
