"""A whole installation for hours, with everything on: whether memory, files and lag stay flat."""
