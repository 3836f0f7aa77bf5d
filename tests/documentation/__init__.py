"""The documentation: its pages, the reference that is drawn from the code, the site."""
