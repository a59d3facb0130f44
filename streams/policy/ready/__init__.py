"""Ready policies by use case, to be extended."""
