"""Everything that moves. Read `app` first: it wires the five workers on one screen."""
