"""What all HTML pages have in common: one base, one way to fill a template, one way to draw."""
