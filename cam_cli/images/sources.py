"""INPUT on the command line → a `Listing`: files, folders, globs, tables of paths, and stdin."""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from cam_cli.errors import InputEmpty, InputMissing, InputUnreadable

from .listing import Listing
from .lists import TABLE_SUFFIXES, is_image, read_lines, read_table
from .naming import Ids, distinct_names, listed_id, safe_id, segments, whole_stems
from .walk import Pattern, Walk, is_image_name

__all__ = ["Listing", "list_images"]

WILDCARD = re.compile(r"[*?[]")


class Entry(NamedTuple):
    """An image by path, with the ids it may have, the shortest first; or a folder that could not be read and why."""

    path: str
    ids: tuple[str, ...]
    failure: str | None = None


class Tree(NamedTuple):
    """A folder to walk: an INPUT as typed, the folder it starts at, and which files below it are meant."""

    typed: str
    root: str
    pattern: Pattern


def list_images(
    inputs: Sequence[str], *, output: str | None = None, stdin: BinaryIO | None = None, nul: bool = False
) -> Listing:
    """The images that `inputs` name, in the order given and sorted within a folder, each path once.

    output: where this run writes; never read as input. stdin: what `-` reads (default: the process's own).
    nul: `-` is a list of paths separated by NUL. A path missing from a list is listed all the same; reading it fails.
    Raises InputMissing, InputEmpty or InputUnreadable for an INPUT that names nothing, no image, or nothing readable.
    """
    walk = Walk(output)
    sources = [_source(typed) for typed in dict.fromkeys(inputs)]
    trees = [source for source in sources if isinstance(source, Tree)]
    roots = {os.path.abspath(tree.root): tree.root for tree in trees}
    prefixes = distinct_names(list(roots)) if len(roots) > 1 else dict.fromkeys(roots, "")
    bare = Counter(os.path.basename(source) for source in sources if isinstance(source, str))

    ids, paths, failures, claimed, seen = list[str](), list[str](), dict[str, str](), Ids(), set[str]()
    data, repeats, here = None, len(inputs) - len(sources), segments(os.getcwd())
    alone = len(sources) == 1 and len(trees) == 1  # one walk meets no path twice, and a million keys are not needed
    for source in sources:
        if source == "-":
            content = (stdin or sys.stdin.buffer).read()
            if is_image(content) and not nul:
                data, entries = content, iter([Entry("-", ("stdin",))])
            else:
                entries = _listed("-", read_lines(content, nul), os.curdir)
        elif isinstance(source, Tree):
            entries = _walked(walk, source, prefixes[os.path.abspath(source.root)])
        elif source.lower().endswith(TABLE_SUFFIXES):
            entries = _listed(source, read_table(source), os.path.dirname(source))
        else:
            short = os.path.basename(source)
            entries = iter([Entry(source, (safe_id([short]), safe_id(segments(source)))[bare[short] > 1 :])])
        for path, wanted, failure in entries:
            if not alone:
                key = "/".join(segments(path) if os.path.isabs(path) else here + segments(path))
                if key in seen:
                    repeats += 1
                    continue
                seen.add(key)
            ids.append(claimed.claim(*wanted))
            paths.append(path)
            if failure is not None:
                failures[ids[-1]] = failure
    return Listing(ids, paths, whole_stems(ids), failures, data, _notes(walk, repeats))


def _source(typed: str) -> str | Tree:
    """What an INPUT is: `-`, the path of a file, or a folder to walk. Raises InputMissing where it is nothing."""
    if typed == "-":
        return typed
    try:
        os.stat(typed)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        wildcard = WILDCARD.search(typed)
        if wildcard is None or "\0" in typed:
            raise InputMissing(f"{typed}: no such file or folder; check the path") from error
        root = typed[: typed.rfind("/", 0, wildcard.start()) + 1]
        if root and not os.path.isdir(root):
            raise InputMissing(f"{typed}: no folder {root}; check the path") from error
        return Tree(typed, root, Pattern(typed[len(root) :]))
    except OSError as error:
        raise InputUnreadable(f"{typed}: {error.strerror or error}; check its permissions") from error
    return Tree(typed, typed, Pattern()) if os.path.isdir(typed) else typed


def _walked(walk: Walk, tree: Tree, prefix: str) -> Iterator[Entry]:
    """The images of a folder or glob. Raises InputEmpty without any, InputUnreadable for an output folder."""
    if walk.is_output(tree.root or os.curdir):
        raise InputUnreadable(
            f"{tree.typed}: this folder holds results of camtool, not images; name the folder of the images"
        )
    others, passed, count = walk.others, len(walk.outputs), 0
    for below, path, error in walk.files(tree.root, tree.pattern):
        if error is not None and not below:
            raise InputUnreadable(f"{tree.typed}: {error}; check its permissions")
        count += 1
        yield Entry(
            path, (safe_id([*segments(prefix), *below.split("/")]),), error and f"cannot list this folder: {error}"
        )
    if not count:
        others, passed = walk.others - others, len(walk.outputs) - passed
        aside = [f"{others} other {_files(others)}"] * bool(others) + [f"{passed} folder(s) of results"] * bool(passed)
        what = "matches no image" if WILDCARD.search(tree.typed) else "no image in this folder or below"
        raise InputEmpty(f"{tree.typed}: {what}" + (f" ({', '.join(aside)})" if aside else ""))


def _listed(typed: str, written: Sequence[str] | Iterator[str], base: str) -> Iterator[Entry]:
    """The entries of a list. A folder among them is a failure of its own: a list names images."""
    count = 0
    for count, path in enumerate(written, 1):  # noqa: B007 (counted for the test below)
        joined = os.path.join(base, path) if base not in ("", os.curdir) else path
        # A folder that is called like an image is found out when it is read: a listing need not ask for each entry.
        folder = not is_image_name(path) and os.path.isdir(joined)
        failure = "this is a folder; a list names image files" if folder else None
        yield Entry(joined, (listed_id(path, base or os.curdir),), failure)
    if not count:
        raise InputEmpty("stdin is empty; give it paths or an image" if typed == "-" else f"{typed}: no rows")


def _notes(walk: Walk, repeats: int) -> tuple[str, ...]:
    notes = [f"{walk.others} other {_files(walk.others)} skipped"] if walk.others else []
    notes += [f"skipped output folder {folder}" for folder in dict.fromkeys(walk.outputs)]
    notes += [f"did not enter {folder}: it links back to a folder it is in" for folder in dict.fromkeys(walk.loops)]
    notes += [f"{repeats} {'path was' if repeats == 1 else 'paths were'} listed twice"] if repeats else []
    return tuple(notes)


def _files(count: int) -> str:
    return "file" if count == 1 else "files"
