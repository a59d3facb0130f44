"""Quantities and mixes whose distribution changes."""
