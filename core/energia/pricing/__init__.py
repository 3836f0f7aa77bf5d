"""Tariffs, and what usage costs under them."""
