"""The audit log: who changed what, listed and, once it is old, let go."""
