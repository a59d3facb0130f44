"""Everything that moves. Read `app` first: it wires the three workers on one screen."""
