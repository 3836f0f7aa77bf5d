"""Sites, meters, channels and their readings."""
