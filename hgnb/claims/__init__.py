"""The ledger: every claim of the sources as data, judged by rules that were written before the runs. 05_discussion.

`claim` says what a claim is, `estimate` and `rules` how it is decided; a module each for the claims about training,
skip-connections, components, clusters and the improvement; `catalogue` lists them all. `evidence` turns runs into
the small records that judging functions read, `ledger` judges all together, `record` keeps the result.
"""
