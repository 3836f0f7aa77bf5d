"""Requests that may come twice, and are carried out once: the keys that clients give them."""
