"""How many persons a second the embedded data are drawn at, annotations and JPEG writing included.

python benchmarks/synthetic.py [images]; prints both sizes with one and two processes, the best of three.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import sys
import tempfile
import time
from pathlib import Path

from hgnb.data.drawn import synthetic

SIZES = ((320, 240), (640, 480))
FLOOR = 60  # persons a second at 640 x 480 on two cores: what the project promises


def rates(images: int, size: tuple[int, int], processes: int) -> tuple[float, float]:
    """Persons per second of wall time and per second of CPU time, its workers' included."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), sum(os.times()[:4])
        out = synthetic.write(
            Path(folder) / "drawn",
            train_images=images,
            val_images=1,
            width=size[0],
            height=size[1],
            processes=processes,
        )
        wall, cpu = time.perf_counter() - wall, sum(os.times()[:4]) - cpu
        table = json.loads((out / "annotations" / "person_keypoints_train2017.json").read_text())
    persons = sum(not person["iscrowd"] for person in table["annotations"])
    return persons / wall, persons / cpu


def main() -> None:
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 80
    for size in SIZES:
        for processes in (1, 2):
            tries = [rates(images, size, processes) for _ in range(3)]
            wall, cpu = (max(rate) for rate in zip(*tries, strict=True))
            verdict = (
                "" if size != (640, 480) or processes < 2 else f" ({'meets' if wall >= FLOOR else 'BELOW'} {FLOOR})"
            )
            print(
                f"{size[0]} x {size[1]}, {processes} process(es): "
                f"{wall:.0f} persons/s{verdict}, {cpu:.0f} per CPU-second"
            )


if __name__ == "__main__":
    main()
