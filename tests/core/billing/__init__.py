"""Contracts and bills."""
