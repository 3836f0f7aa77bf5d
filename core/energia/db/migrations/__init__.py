"""The core's migrations: numbered SQL files."""
