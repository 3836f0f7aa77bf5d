"""Who asks, and what they may do: callers, their scopes, and how each is recognised."""
