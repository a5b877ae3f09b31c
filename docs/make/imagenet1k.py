"""Writes cam_cli/models/imagenet1k.csv: index, WordNet id and name of the 1000 classes of ILSVRC2012.

Ids are timm's synset list, names torchvision's `categories`, both in the order of the ids. Where torchvision made up a
name to tell two classes apart ("crane bird", "maillot tank suit"), ImageNet's own stands: the synset's first lemma, so
`crane` and `maillot` name two classes each. Needs both packages (extra `parity`). With the reference data beside the
project every class of it is checked.

    python docs/make/imagenet1k.py
"""

import csv
from pathlib import Path

from timm.data import ImageNetInfo
from torchvision.models import ResNet50_Weights

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "cam_cli" / "models" / "imagenet1k.csv"
DATA = ROOT.parent / "shared" / "data" / "ilsvrc"


def main() -> None:
    names = list(ResNet50_Weights.DEFAULT.meta["categories"])
    info = ImageNetInfo("imagenet-1k")
    wnids = info.label_names()
    assert len(names) == len(wnids) == len(set(wnids)) == 1000
    assert wnids == sorted(wnids)
    for index, wnid in enumerate(wnids):
        lemmas = info.label_name_to_description(wnid).split(", ")
        if names[index] not in lemmas:
            print(f"{index} {wnid}: {lemmas[0]!r}, not {names[index]!r}")
            names[index] = lemmas[0]
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["index", "wnid", "name"])
        writer.writerows((index, wnid, name) for index, (wnid, name) in enumerate(zip(wnids, names, strict=True)))
    print(f"wrote {TABLE.relative_to(ROOT)}")
    if DATA.is_dir():
        print(f"{check(wnids)} classes agree with {DATA.name}")


def check(wnids: list[str]) -> int:
    """How many classes of the reference data have the id that the table gives their index; all, or an error."""
    with (DATA / "manifest.csv").open(newline="") as one, (DATA / "original_sizes.csv").open(newline="") as two:
        indices = {row["path"]: int(row["class"]) for row in csv.DictReader(one)}
        given = {row["path"]: row["wnid"] for row in csv.DictReader(two)}
    for path, wnid in given.items():
        assert wnids[indices[path]] == wnid, (path, indices[path], wnid)
    return len({indices[path] for path in given})


if __name__ == "__main__":
    main()
