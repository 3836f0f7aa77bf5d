"""Contracts and their bills: stored readings priced under stored tariffs."""
