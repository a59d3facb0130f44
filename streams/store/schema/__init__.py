"""The store's schema: its files, how they are applied, and what every column means."""
