"""Webhooks: what is told, when, to whom, and how often."""
