"""The recorded week, played."""
