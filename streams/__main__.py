"""``python -m streams`` is the command ``watchkeeper``."""

from streams.cli import main

main()
