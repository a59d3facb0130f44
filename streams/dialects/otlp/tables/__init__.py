"""What is known of attributes and words of instrumentations, as data; `aliases.yaml` and `words.yaml`."""
