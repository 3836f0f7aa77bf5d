"""Rehearsals: longer than tests, and with figures."""
