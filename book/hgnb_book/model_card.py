"""What the model card tells of the network that comes with the library: the numbers of its manifest, in MyST."""

import json

from hgnb.training.catalogue import RELEASED_FILE


def page() -> str:
    """What the model card shows of the released network, in MyST."""
    file = RELEASED_FILE.with_suffix(".json")
    if not file.is_file():
        return "This copy of the library comes without released weights.\n"
    held = json.loads(file.read_text(encoding="utf8"))
    pck, oks = held["pck"], held["oks"]
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
        f"OKS over {oks['persons']:,} persons whose areas are official: mean {_number(oks['mean'])}, AP "
        f"{_number(oks['AP'])}, AP50 {_number(oks['AP50'])}.",
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
    if share["value"] is None:
        return "–"
    if share["low"] is None:  # nothing varies, so there is no interval
        return _number(share["value"])
    return f"{share['value']:.3f} ({share['low']:.3f} to {share['high']:.3f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
