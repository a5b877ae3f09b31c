"""Checks what the README's first line left: an overlay a picture, of the picture's own size, heated and not blank."""

import json
import sys
from pathlib import Path

import cv2

pictures, out = Path(sys.argv[1]), Path(sys.argv[2])
records = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
assert len(records) == 6, f"{len(records)} records"
for record in records:
    assert record["error"] is None, record["error"]
    (one,) = record["maps"]
    assert one["flags"] == [], one["flags"]
    before = cv2.imread(str(pictures / record["id"]))
    after = cv2.imread(str(out / one["files"]["overlay"]))
    assert before.shape == after.shape, record["id"]
    x, y = one["peak"]
    changed = abs(before.astype(int) - after).max(2)
    assert changed[y, x] > 30, f"{record['id']}: no heat at its peak"
    assert 0.02 < (changed > 8).mean() < 0.98, f"{record['id']}: heat everywhere or nowhere"
assert records[3]["predictions"][0]["name"] == "espresso", records[3]["predictions"][0]
print(f"{len(records)} overlays checked")
