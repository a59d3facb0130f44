"""Direct identifiers, as e-mail addresses and card numbers: found at the door, and masked or replaced by pseudonyms."""
