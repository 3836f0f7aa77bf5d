"""Importing files by clicks: what waits between two pages, how it is read, what came of it."""
