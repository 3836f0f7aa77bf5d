"""Rehearsals of what happens to the service in production; each prints what it measured.

python -m tests.rehearsals.database   kill the database under load, again and again
"""
