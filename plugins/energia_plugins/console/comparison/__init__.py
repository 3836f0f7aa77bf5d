"""Comparing tariffs: what each costs, where the difference comes from, when it would change."""
