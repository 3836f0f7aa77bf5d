"""Tests of the databases of previews, against a real server."""
