"""Benchmarks: each prints what it measured; run with `python -m benchmarks.<name>`."""
