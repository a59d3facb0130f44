"""Reverse proxies that are named: from where a request came to them, and whom they say that they have signed in."""
