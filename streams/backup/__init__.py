"""A whole installation, saved while it runs and restored elsewhere."""
