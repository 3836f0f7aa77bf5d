"""Evidence for `energy.tiered`."""
