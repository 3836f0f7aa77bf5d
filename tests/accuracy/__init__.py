"""How near the engine comes to others: their tariffs imported and priced, and compared.

`python -m tests.accuracy` (or `make accuracy`) prices all of the shared data and writes
docs/explanation/accuracy.md; a part of it, over tests/data, is run with the other tests.
"""
