"""Topics, and records to and from them."""
