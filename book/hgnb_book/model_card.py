"""What the model card tells of the network that comes with the library: the numbers of its manifest, in MyST."""

import json
import math

from hgnb.stats import Estimate
from hgnb.training.catalogue import RELEASED_FILE


def page() -> str:
    """What the model card shows of the released network, in MyST."""
    file = RELEASED_FILE.with_suffix(".json")
    if not file.is_file():
        return "This copy of the library comes without released weights.\n"
    held = json.loads(file.read_text(encoding="utf8"))
    pck, oks = held["pck"], held["oks"]
    mean, ap, ap50 = (_told({"value": oks[name]}) for name in ("mean", "AP", "AP50"))
    widest = max(held["trainings"], key=lambda one: sum(one["photographs"].values()))
    lines = [
        f"`hgnb predict` uses it where no run is named: {held['parameters']:,} parameters in "
        f"{held['bytes'] / 1e6:.1f} MB, crops of {held['side']} pixels, made {held['made']}, sha256 "
        f"`{held['sha256'][:16]}…`.",
        "",
        f"On the {held['persons']['test']:,} persons of {held['photographs']['test']:,} test photographs of "
        f"`{held['data']}`, boxes given, it finds **{_told(pck['mirrored'])}** of {pck['mirrored']['counted']:,} "
        f"labelled keypoints within the thesis's radius (averaged with the mirror image, by `{held['mirrored']}`, "
        f"chosen on validation photographs); without the mirror image {_told(pck['decoded'])} (`{held['decoding']}`); "
        f"between whole cells of the map, as the thesis counts, {_told(pck['cells'])}, with the mirror image "
        f"{_told(pck['cells_mirrored'])}.",
        f"OKS over {oks['persons']:,} persons whose areas are official: mean {mean}, AP {ap}, AP50 {ap50}.",
        f"It looks at {held['speed']['persons_per_second']:g} persons in a second of one core "
        f"({held['speed']['device']}).",
        "",
        "| trained by | photographs | crops | epochs | hours |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for one in held["trainings"]:
        sources = ", ".join(f"{count:,} {name}" for name, count in one["photographs"].items())
        lines.append(f"| `{one['command']}` | {sources} | {one['side']} px | {one['epochs']} | {one['hours']:g} |")
    lines += ["", "| keypoints | PCK, mirrored | counted |", "| --- | ---: | ---: |"]
    for title, name in (("", "by_keypoint"), ("", "by_visibility"), ("side of the crop, ", "by_side")):
        unit = " px" if title else ""
        lines += [
            f"| {title}{key.replace('_', ' ')}{unit} | {_told(one)} | {one['counted']:,} |"
            for key, one in held[name].items()
        ]
    licences = "; ".join(f"{count:,} {name}" for name, count in widest["licences"].items())
    lines += ["", f"Licences of the photographs that it was trained on: {licences}. Research use.", ""]
    return "\n".join(lines)


def _told(share: dict) -> str:
    """A number with its interval, where something varies; a dash for none."""
    value, low, high = (math.nan if (it := share.get(n)) is None else it for n in ("value", "low", "high"))
    return Estimate(value, low, high).text(3)
