"""The policy: who owns what, what is allowed, who is told."""
