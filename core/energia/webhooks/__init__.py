"""Webhooks: who is told of what happens, signed as Standard Webhooks says, at least once."""
