"""What the tests of watch build on."""
