"""Tests of callers and tokens."""
