"""Prices that change from slot to slot: series of them, how they come in, and how they are kept."""
