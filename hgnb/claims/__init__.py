"""The ledger: every claim of the sources as data, judged by rules that were written before the runs. 05_discussion.

`study` reads a seed's networks, `observe` writes what they show as columns, `evidence` holds the columns of all seeds,
`claim` says what a claim is; the claims stand in `on_…`, each rule beside the evidence it needs; `ledger` judges them.
"""
