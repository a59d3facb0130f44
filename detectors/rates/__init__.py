"""Rates: the share of trials that were flagged."""
