"""Who may come in: callers, tokens, secrets."""
