"""B1_trust: what was tried on this book and what came of it.

Every number stands in benchmarks/results/, where the programs in benchmarks/ put it with the machine it was found on:
`records` reads them, `tables` prints them, `told` says what they come to.
"""
