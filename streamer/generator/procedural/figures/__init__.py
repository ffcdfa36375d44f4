"""Characters and things drawn as flat stickers: one function each, in a square from -1 to 1."""
