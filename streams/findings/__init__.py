"""What findings have in common: their identity, their series, their evidence in words."""
