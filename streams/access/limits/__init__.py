"""How much and how often somebody may ask, and how soon again after a wrong token or password."""
