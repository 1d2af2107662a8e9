"""All claims, in the order of their numbers, and how many each family has."""

from collections import Counter

from hgnb.claims import beyond, clusters, components, improvement, lighter, skips, training
from hgnb.claims.claim import Claim

CLAIMS: tuple[Claim, ...] = (
    *training.CLAIMS,  # C1 to C6
    *skips.CLAIMS,  # C7, C8
    *components.CLAIMS,  # C9 to C12
    *clusters.CLAIMS,  # C13 to C17
    *improvement.CLAIMS,  # C18 to C23
    clusters.FEWER,  # C24
    components.NEEDED,
    improvement.COSTS,
    *improvement.CONTROLLED,  # C27, C28
    *clusters.LATER,  # C29, C30
    skips.RETRAINED,  # C31
    beyond.VISIBLE_ONLY,
    clusters.THIRD,
    beyond.STACKED,
    clusters.BALANCED,
    beyond.MORE,  # C36
    *lighter.CLAIMS,  # L1 to L15
)
SIZES = Counter(claim.family for claim in CLAIMS if not claim.number)  # fixed, whatever can be decided
