"""Everything that moves. Read `app` first: it wires the four workers on one screen."""
