"""The page that OBS loads from disk. It waits for the server: OBS never retries a failed load."""

from __future__ import annotations

import json
from pathlib import Path

from streamer.storage import secret_files

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Stream overlay: waiting for streamer</title>
<style>html, body { margin: 0; background: transparent; overflow: hidden }</style>
<script>
// Written by streamer at every start; changes are lost. Keep this file private: it holds the token of the overlay.
const overlay = %s;
const healthUrl = new URL('healthz', overlay).href;
let polling = false;

async function poll() {
  if (polling) return;
  polling = true;
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 3000);
  try {
    // This page may not read the answer, but any answer will do.
    await fetch(healthUrl, { mode: 'no-cors', cache: 'no-store', signal: controller.signal });
    location.replace(overlay);
  } catch {
    setTimeout(poll, 1000);
  } finally {
    clearTimeout(timer);
    polling = false;
  }
}

// The timers of a hidden page may be delayed by up to a minute.
document.addEventListener('visibilitychange', poll);
window.addEventListener('obsSourceVisibleChanged', poll);
poll();
</script>
</html>
"""


def page(url: str) -> str:
    """Return the page that opens ``url``."""
    # "</script" would end the script early; JSON allows a backslash before the slash.
    return _PAGE % json.dumps(url).replace("</", "<\\/")


def write(folder: Path, key: str, url: str) -> Path:
    """Write the page for one group of layers with mode 0600 and return its path; raises StoreError."""
    path = folder / f"{key}.html"
    secret_files.write(path, page(url).encode("utf-8"))
    return path
