"""Single events unlike the others."""
