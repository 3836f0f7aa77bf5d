"""Hostile requests, each small beside what it asks for, and what the service pays for them.

    python -m tests.attack [--only NAME ...] [--json]

`attacks` declares each with the limits that it must keep, `target` is the service under attack and
what it costs there, `bodies` makes what is sent. Run it on two commits to compare them.
"""
