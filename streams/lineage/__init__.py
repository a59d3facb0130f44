"""Where an answer came from and what became of it, both ways."""
