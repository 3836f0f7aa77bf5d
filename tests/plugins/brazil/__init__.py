"""The Brazilian kit."""
