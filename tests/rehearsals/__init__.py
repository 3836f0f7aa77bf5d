"""Rehearsals of what happens to the service in production; each prints what it measured.

python -m tests.rehearsals.database   kill the database under load, again and again
python -m tests.rehearsals.previews   open, close, replay and reap previews beside production
"""
