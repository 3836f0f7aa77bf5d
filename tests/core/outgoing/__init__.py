"""Tests of requests to others."""
