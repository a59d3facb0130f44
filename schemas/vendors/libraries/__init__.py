"""What guard models, guard libraries and gateways say."""
