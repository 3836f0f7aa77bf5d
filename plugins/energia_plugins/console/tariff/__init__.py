"""A tariff as a person reads it: its week, its rates, its prices ahead, its versions."""
