"""Latents at COCO's size: components of 124,040 persons x 4,096, a silhouette sweep on 10,000; beside scikit-learn's.

python benchmarks/latents.py; made-up latents whose spectrum is the thesis's: their i-th component has i^-1.3 of the
variance, so that two hold 38 % and the 50th 0.17 % (37 % and 0.165 % there). Each part runs in a process of its own,
which tells its seconds, its processors' seconds and its peak memory; pages of the memory map count as memory.
The result goes to benchmarks/results/latents.json.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.fft import dct
from scipy.linalg import subspace_angles

from book import ROOT, machine

PERSONS, FULL, SAMPLE, WIDTH = 124_040, 7_017, 10_000, 4_096  # thesis 4.2, 6.3, 6.4
CLUSTERS, RESTARTS = tuple(range(2, 11)), 10
LIMITS = {"components of all": (300, 3.0), "sweep": (180, None)}  # seconds on 2 cores, GiB


def write(file: Path) -> None:
    """Two clouds along the first component; a cosine transform turns the components away from the axes."""
    rng, deviation = np.random.default_rng(0), np.arange(1, WIDTH + 1) ** -0.65
    out = np.lib.format.open_memmap(file, "w+", np.float32, (PERSONS, WIDTH))
    for start in range(0, PERSONS, 4096):
        part = rng.standard_normal((min(4096, PERSONS - start), WIDTH), np.float32)
        part[:, 0] = 0.5 * part[:, 0] + np.where(rng.random(len(part)) < 0.3, 1.32, -0.57)  # of variance 1, too
        out[start : start + len(part)] = dct(part * deviation.astype(np.float32), norm="ortho", axis=1)


def components_of_all(file: Path, kept: Path) -> dict:
    from hgnb.analysis.components import principal

    parts = principal(np.load(file, mmap_mode="r"))
    return {"two hold": float(parts.ratio[:2].sum()), "for 95 %": parts.needed(0.95)}


def components_ours(file: Path, kept: Path) -> dict:
    from hgnb.analysis.components import principal

    parts = principal(np.load(file, mmap_mode="r")[:FULL])
    np.savez(kept, axes=parts.axes[:200], ratio=parts.ratio)
    return {}


def components_theirs(file: Path, kept: Path) -> dict:
    from sklearn.decomposition import PCA

    parts = PCA(svd_solver="full").fit(np.load(file, mmap_mode="r")[:FULL].astype(np.float64))
    np.savez(kept, axes=parts.components_[:200], ratio=parts.explained_variance_ratio_)
    return {}


def sweep_ours(file: Path, kept: Path) -> dict:
    from hgnb.analysis.clusters import sweep

    found = sweep(np.load(file, mmap_mode="r")[:SAMPLE], CLUSTERS, RESTARTS, 0)
    best = found.best.astype(float)
    np.savez(kept, labels=[found.of(k) for k in CLUSTERS], best=best)
    return {"best K": found.winner, "silhouettes": best.round(4).tolist()}


def restarts_theirs(file: Path, kept: Path) -> dict:
    """One restart of every K."""
    from sklearn.cluster import KMeans

    points = np.load(file, mmap_mode="r")[:SAMPLE]
    for k in CLUSTERS:
        KMeans(k, n_init=1, random_state=0).fit(points)
    return {}


def silhouettes_theirs(file: Path, kept: Path) -> dict:
    """Of the labels that our sweep found best, for the fewest and the most clusters."""
    from sklearn.metrics import silhouette_score

    points, found = np.load(file, mmap_mode="r")[:SAMPLE], np.load(kept.with_name("sweep.npz"))
    gaps = [abs(silhouette_score(points, found["labels"][i]) - found["best"][i]) for i in (0, -1)]
    return {"largest difference": float(max(gaps))}


PARTS = {
    "components of all": (components_of_all, "all"),
    "components": (components_ours, "ours"),
    "components, scikit-learn": (components_theirs, "theirs"),
    "sweep": (sweep_ours, "sweep"),
    "a restart of each K, scikit-learn": (restarts_theirs, "restarts"),
    "two silhouettes, scikit-learn": (silhouettes_theirs, "silhouettes"),
}


def measured(name: str, file: Path) -> dict:
    """One part in a process of its own."""
    command = [sys.executable, __file__, "--part", name, str(file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    told = json.loads(done.stdout)
    limits = LIMITS.get(name)
    print(f"{name}: {told}{f', limits {limits}' if limits else ''}", flush=True)
    return told


def part(name: str, file: Path) -> None:
    """What the process of a part does: imports aside, its times and its memory."""
    import hgnb.analysis.clusters
    import hgnb.analysis.components  # noqa: F401

    run, kept = PARTS[name]
    start, before = time.perf_counter(), os.times()
    facts = run(file, file.with_name(f"{kept}.npz"))
    after = os.times()
    print(json.dumps({
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(after.user + after.system - before.user - before.system, 1),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        **facts,
    }))  # fmt: skip


def agreement(folder: Path) -> dict:
    """Our components of the 7,017 against scikit-learn's: ratios, and the spans in front of the widest gap."""
    ours, theirs = (np.load(folder / f"{name}.npz") for name in ("ours", "theirs"))
    ratio = theirs["ratio"]
    gap = 2 + int((ratio[1:100] / ratio[2:101]).argmax())  # components in front of it
    angles = subspace_angles(ours["axes"][:gap].T, theirs["axes"][:gap].T)
    difference = np.abs(ours["ratio"] - ratio[: len(ours["ratio"])]).max()
    return {"largest difference of a ratio": float(difference), "gap behind": gap, "angle": float(angles.max())}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, parts = Path(folder) / "latents.npy", {}
        write(file)
        for name in PARTS:
            parts[name] = measured(name, file)
            keep(parts, Path(folder))  # what was measured stays if the rest is broken off


def keep(parts: dict, folder: Path) -> None:
    """Writes the result as far as it goes."""
    there = all((folder / f"{name}.npz").exists() for name in ("ours", "theirs"))
    result = {
        "persons": PERSONS, "full": FULL, "sample": SAMPLE, "dimensions": WIDTH, "parts": parts,
        "against scikit-learn": agreement(folder) if there else None,
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "load": os.getloadavg(),
        "machine": machine(),
    }  # fmt: skip
    (ROOT / "benchmarks" / "results" / "latents.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        part(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
