"""LiteLLM's log of a call (StandardLoggingPayload, as its `generic_api` logger posts it)."""
