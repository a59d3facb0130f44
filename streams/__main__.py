"""``python -m streams`` is the command ``watchkeeper``."""

from streams.commands.main import main

main()
