"""Acts that take two persons: asked for by one, carried out once another agrees, or alone and with a page to all."""
