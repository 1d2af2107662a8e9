"""How to keep prepared crops: PNG files, one memory map, or compressed shards. Size, writing, a shuffled epoch.

python benchmarks/crops.py [persons]; drawn photographs of 640 x 480, crops of 256 px, one process.
Then how fast they are made, and in how much memory: of 1,000 persons and of 20,000 (Linux alone tells).
The result goes to benchmarks/results/crops.json. Ways of reading take turns, so a noisy machine hits all alike.
"""

import io
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from book import ROOT, machine
from hgnb.data.drawn import synthetic
from hgnb.data.prepared import prepare
from hgnb.data.splits import DataConfig

SHARD = 256  # crops in a shard
BATCH = 16
MANY = (1_000, 20_000)  # persons


class Pngs:
    """A lossless file for each person, as the thesis kept them."""

    def __init__(self, folder: Path, crops: np.ndarray):
        self.folder = folder
        for i, crop in enumerate(crops):
            Image.fromarray(crop).save(folder / f"{i}.png", compress_level=1)

    def read(self, index: np.ndarray) -> np.ndarray:
        return np.stack([np.asarray(Image.open(self.folder / f"{i}.png")) for i in index])


class MemoryMap:
    """One uncompressed file; the system's page cache is the only cache."""

    def __init__(self, folder: Path, crops: np.ndarray):
        np.save(folder / "crops.npy", crops)
        self.crops = np.load(folder / "crops.npy", mmap_mode="r")

    def read(self, index: np.ndarray) -> np.ndarray:
        return np.asarray(self.crops[index])


class Shards:
    """Compressed files of many PNGs in a row with their offsets: few files, random access, small."""

    def __init__(self, folder: Path, crops: np.ndarray):
        self.files, self.offsets = [], []
        for start in range(0, len(crops), SHARD):
            held, offsets = io.BytesIO(), [0]
            for crop in crops[start : start + SHARD]:
                Image.fromarray(crop).save(held, "PNG", compress_level=1)
                offsets.append(held.tell())
            file = folder / f"{start:06}.shard"
            file.write_bytes(held.getvalue())
            self.files.append(np.memmap(file, mode="r"))
            self.offsets.append(offsets)

    def read(self, index: np.ndarray) -> np.ndarray:
        return np.stack([self._one(*divmod(int(i), SHARD)) for i in index])

    def _one(self, shard: int, i: int) -> np.ndarray:
        start, end = self.offsets[shard][i : i + 2]
        return np.asarray(Image.open(io.BytesIO(self.files[shard][start:end])))


def main() -> None:
    persons = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        images = persons * 5 // 8
        source = synthetic.write(place / "people", train_images=images, val_images=4, width=640, height=480)
        start, cpu = time.perf_counter(), time.process_time()
        data = prepare(source, DataConfig(side=256), place / "cache")
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        total = sum(data.manifest["persons"].values())
        crops = np.asarray(data.split("train").crops)
        result = {
            "persons": len(crops),
            "prepare_persons_per_s": round(total / seconds),
            "prepare_persons_per_cpu_s": round(total / cpu),
            "prepare_peak_mb": memory(source, place),
            "ways": compare(place, crops),
        }
    result["machine"] = machine()
    out = ROOT / "benchmarks" / "results" / "crops.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def memory(source: Path, place: Path) -> dict[str, float]:
    """Peak resident memory in MB of a process that prepares few and many persons, and the slope between them,
    log-log: 0 where memory is flat, 1 where it grows with the persons. Crops are small, since none is kept."""
    peaks = {}
    for persons in MANY:
        folder = repeated(source, place / f"{persons}-persons", persons)
        code = (
            "import sys; from pathlib import Path; "
            "from hgnb.data.splits import DataConfig; from hgnb.data.prepared import prepare; "
            "prepare(Path(sys.argv[1]), DataConfig(side=32), Path(sys.argv[1]) / 'cache'); "
            "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
        )
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
        peaks[str(persons)] = round(int(done.stdout) / 1024, 1)
    few, many = peaks.values()
    return {**peaks, "slope": round(math.log(many / few) / math.log(MANY[1] / MANY[0]), 2)}


def repeated(source: Path, folder: Path, persons: int) -> Path:
    """A dataset of so many training persons: the photographs of `source` again and again, under new ids."""
    (folder / "annotations").mkdir(parents=True)
    for file in (source / "annotations").iterdir():
        name = file.stem.removeprefix("person_keypoints_")
        (folder / name).symlink_to(source / name)
        content = json.loads(file.read_text())
        if name.startswith("train"):
            images, people = [], []
            for turn in range(-(-persons // len(content["annotations"]))):
                first = turn * 10**7
                images += [{**i, "id": first + i["id"]} for i in content["images"]]
                people += [
                    {**a, "id": first + a["id"], "image_id": first + a["image_id"]} for a in content["annotations"]
                ]
            content |= {"images": images, "annotations": people[:persons]}
        (folder / "annotations" / file.name).write_text(json.dumps(content))
    return folder


def compare(place: Path, crops: np.ndarray) -> dict[str, dict]:
    """Size in MB, seconds to write, persons per second in a shuffled epoch (median of three) for each way."""
    ways, table = {}, {}
    for way in (Pngs, MemoryMap, Shards):
        folder = place / way.__name__
        folder.mkdir()
        start = time.perf_counter()
        ways[way.__name__] = way(folder, crops)
        seconds = time.perf_counter() - start
        size = sum(f.stat().st_size for f in folder.iterdir()) / 1e6
        table[way.__name__] = {"mb": round(size, 1), "write_s": round(seconds, 1), "epochs": []}
    for epoch in range(3):
        order = np.random.default_rng(epoch).permutation(len(crops))
        for name, way in ways.items():
            start = time.perf_counter()
            for i in range(0, len(order), BATCH):
                batch = way.read(order[i : i + BATCH])
                assert np.array_equal(batch[0], crops[order[i]]), "every way is lossless"
            table[name]["epochs"].append(len(crops) / (time.perf_counter() - start))
    for row in table.values():
        row["read_persons_per_s"] = round(float(np.median(row.pop("epochs"))))
    return table


if __name__ == "__main__":
    main()
