"""Chapter 06: networks drawn, what they cost and reach, beside source 004's numbers.

`report` holds the source's tables, `networks` draws stacks and modules, `tables`, `speeds`, `outcomes` and `tradeoff`
show what was timed and trained, `verdicts` the claims; `words` is what they share.
"""
