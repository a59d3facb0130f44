"""How much comes: silence, floods, lag."""
