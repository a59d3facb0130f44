"""Spans of a trace seen together: what is one call, whose it was, and when it is ready to be told."""
