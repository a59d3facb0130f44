"""The command ``watchkeeper``, a file for each group of commands."""
