"""Answers of providers and of guards as their own API gives them, without an event around them."""
