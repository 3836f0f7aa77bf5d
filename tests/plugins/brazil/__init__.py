"""Tests of the Brazilian kit."""
