"""A real OpenID provider in a process of its own, which people sign in at, and which can be told to lie."""
