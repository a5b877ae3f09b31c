"""Whether a run is the one that an output folder was begun with, so that `--resume` may complete it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cam_cli.errors import OutputRefused
from cam_cli.outputs.folder import Folder
from cam_cli.outputs.known import Known
from cam_cli.specs.differences import differences

from .listener import Listener
from .outcome import Outcome
from .summary import Summary, counted

Json = Mapping[str, Any]


def check_spec(folder: Folder, spec: Any, listing: Json) -> None:
    """What is known before the model is loaded. Raises OutputRefused, naming what differs."""
    if folder.before is not None:
        before = folder.before.get("spec")
        refuse(
            folder, [*differences(spec, before if isinstance(before, Mapping) else {}), *listed(folder.before, listing)]
        )


def check_facts(folder: Folder, facts: Json, listener: Listener) -> None:
    """What is known once it is. Raises OutputRefused, naming what differs. Other versions of anything are told."""
    if folder.before is not None:
        refuse(folder, list(unlike(folder.before, json.loads(json.dumps(facts)))))
        versions = [f"{name} {was}, now {now}" for name, was, now in changed(folder.before, facts)]
        if versions:
            listener.warn(
                f"{folder.path} was begun with {', '.join(versions)}; numbers may differ in their last digits"
            )


def gathered(folder: Folder | None, records: str, ids: Sequence[str], models: Sequence[str]) -> Known:
    """What need not be done again; nothing, unless the run completes another. Raises OutputFailed."""
    if folder is None or folder.before is None:
        return Known.nothing()
    return Known.gather(folder.path, records, ids, models)


def begin(listener: Listener, told: Summary | Outcome) -> None:
    """Says how much there is to do, and how much of the whole is done."""
    if told.before:
        listener.note("resume", f"{told.before} of {counted(told.total, told.noun)} done before")
    listener.begin(told.total, done=told.before)


def refuse(folder: Folder, found: Sequence[str]) -> None:
    if found:
        raise OutputRefused(
            f"--resume: {folder.path} was begun otherwise: {'; '.join(found)}; run it as before, or choose another -o"
        )


def listed(before: Json, now: Json, words: tuple[str, str] = ("before", "now")) -> Iterator[str]:
    """Where two runs went through different images."""
    known = before.get("listing") or {}
    if known.get("images") != now["images"]:
        yield f"{known.get('images')} images {words[0]}, {now['images']} {words[1]}"
    elif known.get("sha256") != now["sha256"]:
        yield f"as many images {words[0]}, but others, or with other truths"


def unlike(before: Json, now: Json, words: tuple[str, str] = ("before", "now")) -> Iterator[str]:
    """Where what two runs found differs: weights, layers, preprocessing, device, batch size. Both as JSON has them."""
    for key, name in (("device", "--device"), ("batch_size", "--batch-size")):
        if before.get(key) != now[key]:
            yield f"{name}: {before.get(key)} {words[0]}, {now[key]} {words[1]}"
    models = before.get("models") or []
    for was, one in zip(models, now["models"], strict=False):
        for key in one:
            if key in was and was[key] != one[key]:
                told = f": {short(was[key])} {words[0]}, {short(one[key])} {words[1]}" if key == "sha256" else ""
                yield f"{'weights' if key == 'sha256' else key} of {one['alias']}{told}"
    if len(models) != len(now["models"]):
        yield f"{len(models)} models {words[0]}, {len(now['models'])} {words[1]}"


def short(digest: object) -> str:
    return str(digest)[:12]


def changed(before: Json, now: Json) -> Iterator[tuple[str, str, str]]:
    """Packages of other versions: name, before, now."""
    known = before.get("versions") or {}
    for name, version in now["versions"].items():
        if name in known and known[name] != version:
            yield name, known[name], version
