"""The charge `export`."""
