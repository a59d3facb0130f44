"""People's judgement: which events they are asked about, what they say, and what that tells of the true rate."""
