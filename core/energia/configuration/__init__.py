"""The effective configuration: its layers, its values and where each came from."""
