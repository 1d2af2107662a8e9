"""Which chapter needs which data and which training. `make book` calls this through `hgnb book`.

`make claims` asks for the rule `seeds`, through `hgnb seeds`: the chain and its controls for several seeds.
"""

import sys
import tomllib
from itertools import product
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from hgnb import sources
from hgnb.book.house import EMBEDDED, Edition
from hgnb.training import networks

# what each chapter asks for; where the two networks are compared, everything
NEEDS = {
    "00_at_a_glance": ["dataset", "hourglass", "autoencoder", "modified"],
    "00_introduction": ["dataset"],
    "00_try_it": ["dataset", "hourglass"],
    "A1_machine_learning": ["dataset"],
    "A2_building_blocks": ["dataset"],
    "01_dataset": ["dataset"],
    "02_experiment": ["dataset", "hourglass"],
    "03_interpretation": ["dataset", "hourglass"],
    "04_improvement": ["dataset", "hourglass", "autoencoder", "modified"],
    "05_discussion": ["dataset", "hourglass", "autoencoder", "modified"],
    "B1_trust": [],  # what benchmarks/ recorded
    "06_lighter_hourglasses": [],  # its sweep is the target `lighter`, and recorded
    "07_beyond": ["dataset", "hourglass", "autoencoder", "modified"],  # and `beyond`, recorded
}
# what a stage builds on
CHAIN = networks.STUDIES["chain"].trainings
AFTER = {"dataset": []} | {one.name: list(one.needs or ["dataset"]) for one in CHAIN}
# these show what `make claims`, `make lighter` and `make beyond` recorded, or the programs in benchmarks/
SHOW_RECORDS = {
    "04_improvement": "results/chain-*/*.npz",
    "05_discussion": "results/[cl]*/*.npz",
    "06_lighter_hourglasses": "results/lighter-*.json",
    "07_beyond": "results/[bc]*/*.npz",  # beyond-* and chain-*
    "B1_trust": "benchmarks/results/*.json",
}

# what turns executed chapters into the site
PASSES = ("render", "mend", "icons", "pictures", "toc", "in_page", "runtime")
RENDERING = ["figures/logo", *(f"book/{name}" for name in PASSES)]

ROOT = Path(workflow.basedir)
EDITION = Edition(str(config.get("profile", "tiny")), str(config.get("data", EMBEDDED)), int(config.get("seed", 0)))
SEEDS = range(int(config.get("seeds", 0)))
EDITIONS = {seed: Edition(EDITION.profile, EDITION.data, seed) for seed in {EDITION.seed, *SEEDS}}
PROFILE = f"profiles/{EDITION.profile}.toml"
# A profile whose maps are small trains on one core and leaves the others to the chapters.
NUMBERS = tomllib.loads((ROOT / PROFILE).read_text(encoding="utf8"))
TRAINING, LIGHTER = (NUMBERS.get(section, {}).get("threads", 0) for section in ("training", "lighter_training"))
HGNB = [sys.executable, "-m", "hgnb.cli"]


def asked(edition):
    """The edition as the command takes it."""
    return ["--profile", edition.profile, "--data", edition.data, "--seed", str(edition.seed)]


def literal(path):
    """A path whose braces are its own, not a wildcard's."""
    return str(path).replace("{", "{{").replace("}", "}}")


def stamps(names, edition=EDITION):
    folder = edition.stamps(ROOT).relative_to(ROOT).as_posix()
    return [literal(f"{folder}/{name}.json") for name in names]


def annotations():
    """A user's annotations: another file there is other data. The embedded data are made by the first stage."""
    folder = Path(EDITION.data).expanduser()
    return [] if EDITION.data == EMBEDDED else [literal(path) for path in sorted(folder.glob("annotations/*.json"))]


def modules(notebook):
    """The modules of hgnb that a notebook imports, theirs too."""
    found = sources.closure(sources.notebook_imports(ROOT / notebook))
    return [path.relative_to(ROOT).as_posix() for path in found]


def records(chapter):
    """What was recorded, for the chapters that show it."""
    found = sorted(ROOT.glob(SHOW_RECORDS[chapter])) if chapter in SHOW_RECORDS else []
    return [literal(path.relative_to(ROOT).as_posix()) for path in found]


rule site:
    input:
        chapters=[f"book/_executed/{name}.ipynb" for name in NEEDS],
        pages=[p.relative_to(ROOT).as_posix() for p in sorted((ROOT / "book").glob("*.*"))],
        static=[p.relative_to(ROOT).as_posix() for p in sorted((ROOT / "book/_static").rglob("*.*"))],
        settings=["_config.yml", *(f"hgnb/{name}.py" for name in RENDERING)],
    output:
        "_build/site.json",  # the site itself would be deleted before the rule runs
    params:
        edition=asked(EDITION),
    threads: 1
    shell:
        "{HGNB:q} render {params.edition:q} --stamp {output:q}"


rule seeds:
    input:
        [stamps([one.name for one in CHAIN], EDITIONS[seed]) for seed in SEEDS],


for edition, (stage, before) in product(EDITIONS.values(), AFTER.items()):

    rule:
        name:
            f"{stage}_{edition.seed}".replace("-", "_")
        input:
            stamps(before, edition),
            annotations(),
            PROFILE,
        output:
            stamps([stage], edition),
        params:
            edition=asked(edition),
            name=stage,
            # code that differs, not files that were touched; the run itself decides whether it trains again
            code=sources.fingerprint(["hgnb.training.experiment.Experiment.stage"]),
        threads: workflow.cores if stage == "dataset" else TRAINING or workflow.cores
        shell:
            "{HGNB:q} stage {params.name} {params.edition:q} --stamp {output:q} --threads {threads}"


# The sweeps of chapters 06 and 07, `make lighter` and `make beyond`: every training is a job, and none waits for
# another. `hgnb` names the trainings: to look them up here would load torch for every build.
SWEEPS = {
    "lighter": {"code": "hgnb.training.sweep.measured", "threads": LIGHTER},
    "beyond": {"code": "hgnb.training.changed.measured", "threads": TRAINING},
}

for sweep, about in SWEEPS.items():
    swept = literal(EDITION.swept(ROOT, sweep).relative_to(ROOT).as_posix())

    rule:
        name:
            sweep
        input:
            [f"{swept}/{name}.json" for name in config.get(sweep, [])],

    rule:
        name:
            f"{sweep}_case"
        input:
            annotations(),
            PROFILE,
        output:
            swept + "/{case}-s{number,[0-9]+}.json",
        params:
            sweep=sweep,
            edition=["--profile", EDITION.profile, "--data", EDITION.data],
            code=sources.fingerprint([about["code"]]),
        threads: about["threads"] or workflow.cores
        shell:
            "{HGNB:q} sweep-case {params.sweep:q} {wildcards.case:q} {wildcards.number:q} {params.edition:q}"
            " --stamp {output:q} --threads {threads}"


for chapter, stages in NEEDS.items():

    rule:
        name:
            f"chapter_{chapter}"
        input:
            stamps(stages),
            annotations(),
            PROFILE,
            modules(f"notebooks/{chapter}.ipynb"),
            records(chapter),
            "hgnb/book/execute.py",
            "hgnb/book/weave.py",
            notebook=f"notebooks/{chapter}.ipynb",
        output:
            f"book/_executed/{chapter}.ipynb",
        params:
            profile=EDITION.profile,
            data=EDITION.data,
            seed=EDITION.seed,
        threads: 1
        shell:
            "{HGNB:q} run {input.notebook:q} -o {output:q} --woven --threads {threads}"
            " -p profile {params.profile:q} -p data {params.data:q} -p seed {params.seed:q}"
