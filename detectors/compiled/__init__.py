"""Compiled forms of what detectors do for each series and tick, equal to the plain ones to the last bit."""
