"""Recorded events, sent again or judged again."""
