"""Whether the store still holds what was acknowledged, whether it can be read, and how it is filled again."""
