"""Everything breaks while readings are written at full rate: none acknowledged may be lost.

    python -m tests.rehearsals.chaos [--readings 1000000] [--kills 20]

`writers` sends readings and files and remembers what was acknowledged, `world` is the service with
its database, the network between them and their clock, `faults` is what goes wrong there, `verdict`
looks at what is stored in the end.
"""
