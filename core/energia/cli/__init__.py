"""The `energia` command."""
