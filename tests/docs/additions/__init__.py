"""One addition of each kind that CONTRIBUTING names: its edits, and a test that sees it at work.

An addition has ``FILES``, by path: the text of a new file, or pairs of a text that is there and what takes its place.
``GENERATED`` says what is written anew after it, ``SEEN`` is a test of its own, and ``CHECKS`` are tests of the tree.
"""
