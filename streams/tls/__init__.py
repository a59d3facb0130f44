"""TLS of our own ports: what they show and ask, how they are asked, and until when a certificate is good."""
