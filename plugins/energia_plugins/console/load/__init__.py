"""The load of a meter as pages show it: its curve, its habits, its duration, its coverage."""
