"""Gives records today's fingerprint of the code that makes data, where it makes the same data as before.

python benchmarks/renewed.py [folder of data ...]: folders are those of data that aren't drawn. Each record's data are
prepared anew, in an empty home; where their checksum, which is of every crop, point and split, is the one that the
record holds, its `data_code` becomes today's and `renewed` says when. Records whose trainings' code has changed are
left alone: `make claims`, `make beyond` and `make lighter` make these anew, and `hgnb claims` judges ledgers anew.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from book import ROOT
from hgnb.sources import fingerprint
from hgnb.training.experiment import EMBEDDED, FROZEN_ROOTS, TRAINING_ROOTS, Experiment
from hgnb.training.recorded import DATA_ROOTS


def main() -> None:
    folders = {EMBEDDED: EMBEDDED} | {Path(folder).name: str(Path(folder).resolve()) for folder in sys.argv[1:]}
    made, trained = fingerprint(DATA_ROOTS), (fingerprint(TRAINING_ROOTS), fingerprint(FROZEN_ROOTS))
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "hgnb").mkdir()
        shutil.copytree(ROOT / "profiles", Path(home) / "profiles")
        os.environ["HGNB_HOME"] = home
        for file in sorted((ROOT / "results").glob("*.json")):
            text = file.read_text(encoding="utf8")
            about = json.loads(text).get("manifest", {})
            if about.get("data_code", made) == made or about["code"] not in trained:
                continue
            if Experiment.open(about["profile"], folders[about["data"]]).prepared().checksum != about["checksum"]:
                print(f"{file.name}: other data")
                continue
            today = time.strftime("%Y-%m-%d", time.gmtime())
            old, new = (f'"data_code": "{code}"' for code in (about["data_code"], made))
            file.write_text(text.replace(old, f'{new},\n  "renewed": "{today}"'), encoding="utf8")
            print(f"{file.name}: the same data", flush=True)


if __name__ == "__main__":
    main()
