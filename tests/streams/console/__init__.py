"""The console as a browser sees it."""
