"""Requests to others: which addresses may be reached, how they are asked, what they answer."""
