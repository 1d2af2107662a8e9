"""Which chapter needs which data and which training. `make book` calls this through `hgnb book`.
"""

import os
import sys
from pathlib import Path

# this tree's own packages, here and in every job
TREE = [os.path.join(workflow.basedir, part) for part in ("", "book", "notebooks")]
sys.path[:0] = TREE
os.environ["PYTHONPATH"] = os.pathsep.join([*TREE, *filter(None, [os.environ.get("PYTHONPATH")])])

from hgnb import definitions
from hgnb.data.intake.layouts import annotation_files
from hgnb.data.splits import EMBEDDED
from hgnb_book.edition import Edition
from hgnb.training import networks
from hgnb_book import imports

# what each chapter asks for; where the two networks are compared, everything
NEEDS = {
    "00_claims": ["dataset", "hourglass", "autoencoder", "modified"],
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
    "B2_annotations": [],  # counted once, in results/coco-annotations.json
    "06_lighter_hourglasses": [],  # its sweep is the target `lighter`, and recorded
    "07_beyond": ["dataset", "hourglass", "autoencoder", "modified"],  # and `beyond`, recorded
    "08_how_far": ["dataset", "hourglass"],
}
LONGEST = ("03_interpretation", "05_discussion")  # begin before the others, so that no core waits for them at the end
# what a stage builds on
AFTER = {"dataset": []} | {one.name: list(one.needs or ["dataset"]) for one in networks.CHAIN}
# what a chapter may show of what was recorded: `make claims` and the like, and the programs in benchmarks/
RECORDS = ("results/*.json", "results/*/*.npz", "benchmarks/results/*.json")
UNRECORDED = ("00_introduction", "00_try_it", "A1_machine_learning", "A2_building_blocks")

# what turns executed chapters into the site
PASSES = ("render", "site", "toc", "in_page", "reference", "rules", "hits", "imports", "model_card")
RENDERING = [f"book/hgnb_book/{name}.py" for name in PASSES]

ROOT = Path(workflow.basedir)
EDITION = Edition(str(config.get("profile", "tiny")), str(config.get("data", EMBEDDED)), int(config.get("seed", 0)))
NUMBERS = EDITION.numbers(ROOT)
PROFILES = list(NUMBERS)
# A profile whose maps are small trains on one core and leaves the others to the chapters.
TRAINING = next((held["training"]["threads"] for held in NUMBERS.values() if "threads" in held.get("training", {})), 0)
HGNB = [sys.executable, "-m", "hgnb_book.cli"]


def asked(edition):
    """The edition as the command takes it."""
    return ["--profile", edition.profile, "--data", edition.data, "--seed", str(edition.seed)]


def literal(path):
    """A path whose braces are its own, not a wildcard's."""
    return str(path).replace("{", "{{").replace("}", "}}")


def stamps(names):
    folder = EDITION.stamps(ROOT).relative_to(ROOT).as_posix()
    return [literal(f"{folder}/{name}.json") for name in names]


def annotations():
    """A user's annotations: another file there is other data. The embedded data are made by the first stage."""
    return [] if EDITION.data == EMBEDDED else [literal(path) for path in annotation_files(Path(EDITION.data))]


def modules(notebook):
    """The modules of the house that a notebook imports, theirs too."""
    found = imports.closure(imports.notebook_imports(ROOT / notebook))
    return [path.relative_to(ROOT).as_posix() for path in found]


def records(chapter):
    """What was recorded, for the chapters that show it."""
    found = [path for pattern in RECORDS if chapter not in UNRECORDED for path in sorted(ROOT.glob(pattern))]
    return [literal(path.relative_to(ROOT).as_posix()) for path in found]


rule site:
    input:
        chapters=[f"book/_executed/{name}.ipynb" for name in NEEDS],
        pages=[p.relative_to(ROOT).as_posix() for p in sorted((ROOT / "book").glob("*.*"))],
        static=[p.relative_to(ROOT).as_posix() for p in sorted((ROOT / "book/_static").rglob("*.*"))],
        settings=["_config.yml", *RENDERING],
        rules=[p.relative_to(ROOT).as_posix() for p in sorted((ROOT / "hgnb/claims").glob("*.py"))],
    output:
        touch("_build/site.json"),  # the site itself would be deleted before the rule runs
    params:
        edition=asked(EDITION),
    threads: 1
    shell:
        "{HGNB:q} render {params.edition:q}"


for stage, before in AFTER.items():

    rule:
        name:
            stage
        input:
            stamps(before),
            annotations(),
            PROFILES,
        output:
            stamps([stage]),
        params:
            edition=asked(EDITION),
            name=stage,
            # code that differs, not files that were touched; the run itself decides whether it trains again
            code=definitions.fingerprint(["hgnb.training.experiment.Experiment"]),
        threads: workflow.cores if stage == "dataset" else TRAINING or workflow.cores
        priority: 2  # all that comes after waits for the longest chain: the data and one training upon another
        shell:
            "{HGNB:q} stage {params.name} {params.edition:q} --stamp {output:q} --threads {threads}"


# `hgnb record` with a profile of Snakemake's: every training is a job of its own, on a cluster. On one machine its own
# queue does without Snakemake.
RECORDED = EDITION.recorded(ROOT, config.get("study", "")).relative_to(ROOT).as_posix()


rule record:
    input:
        [literal(f"{RECORDED}/{unit}.json") for unit in config.get("units", [])],


rule recorded:
    input:
        lambda unit: [f"{RECORDED}/{name}-s{unit.seed}.json" for name in networks.get(unit.name).needs],
    output:
        literal(RECORDED) + "/{name}-s{seed,[0-9]+}.json",
    params:
        study=config.get("study", ""),
        edition=["--profile", EDITION.profile, "--data", EDITION.data],
    threads: 1
    shell:
        "{HGNB:q} record {params.study:q} --only {wildcards.name:q} --first-seed {wildcards.seed:q} --seeds 1 --jobs 1"
        " {params.edition:q} && echo {{}} > {output:q}"


for chapter, stages in NEEDS.items():

    rule:
        name:
            f"chapter_{chapter}"
        input:
            stamps(stages),
            annotations(),
            PROFILES,
            modules(f"notebooks/{chapter}.ipynb"),
            records(chapter),
            "book/hgnb_book/execute.py",
            "book/hgnb_book/weave.py",
            notebook=f"notebooks/{chapter}.ipynb",
        output:
            f"book/_executed/{chapter}.ipynb",
        params:
            profile=EDITION.profile,
            data=EDITION.data,
            seed=EDITION.seed,
        threads: 1
        priority: 1 if chapter in LONGEST else 0
        shell:
            "{HGNB:q} run {input.notebook:q} -o {output:q} --woven --threads {threads}"
            " -p profile {params.profile:q} -p data {params.data:q} -p seed {params.seed:q}"
