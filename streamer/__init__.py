"""A local creator tool that turns chat commands and hotkeys into stream backgrounds and memes."""

__version__ = "0.1.0"
