"""A second implementation of pricing: slow, plain, and written from docs/ alone.

It reads tariff documents and works bills out slot by slot, in `Fraction`, `datetime` and
`zoneinfo`. It shares no code with the engine: but for `against`, which compares the two, nothing
here imports `energia` (a test holds it). Where the two differ, the documents say who is right.

- `days`: local days, months and the periods of schedules
- `model`: what is metered, the part of a bill that a version prices, its lines, rounding
- `energy`, `tiers`, `peaks`, `fees`, `additions`, `bank`: the kinds of charge
- `bill`: versions, charges in their order, consecutive bills
- `drawn`: random tariffs with readings, from a seed
- `against`: prices them both ways and tells where they differ
"""
