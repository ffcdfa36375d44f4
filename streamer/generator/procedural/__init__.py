"""Paints a prompt with numpy and Pillow: words become an idea, the idea becomes layers of a poster."""
