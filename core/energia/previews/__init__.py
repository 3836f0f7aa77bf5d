"""The databases of pull requests: `app_pr_<number>`, each with a comment that says whose it is.

The comments are the registry: they can be read from any database of the server, are changed under
an advisory lock, and go with their database. No clock but the server's is used.
"""
