"""Whether shards are all the parts of one run, and which run that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cam_cli.errors import ShardUnfit
from cam_cli.outputs.share import Share
from cam_cli.specs import ExplainSpec
from cam_cli.specs.differences import ALWAYS_FREE, differences
from cam_cli.specs.evaluate import EvaluateSpec
from cam_cli.specs.merge import MergeSpec
from cam_cli.specs.plain import made

from .listener import Listener
from .resuming import changed, listed, unlike


def complete(shares: Sequence[Share]) -> list[Share]:
    """The shards in their order. Raises ShardUnfit where one is missing, or there twice, or of another division."""
    first = shares[0]
    found: dict[int, Share] = {}
    for share in shares:
        if share.shard.count != first.shard.count:
            raise ShardUnfit(f"{first.name} and {share.name} are of different divisions; name those of one")
        other = found.setdefault(share.shard.index, share)
        if other is not share:
            raise ShardUnfit(f"{other.path} and {share.path} are both shard {share.shard}; name one of them")
    count = first.shard.count
    missing = [f"{index}/{count}" for index in range(1, count + 1) if index not in found]
    if missing:
        what = f"shard {missing[0]} is" if len(missing) == 1 else f"shards {', '.join(missing)} are"
        raise ShardUnfit(f"{what} missing; name the folders of all {count}")
    return [found[index] for index in range(1, count + 1)]


def whole_spec(spec: MergeSpec, shares: Sequence[Share], listener: Listener) -> ExplainSpec | EvaluateSpec:
    """What the shards were asked for, as one run into the joined folder. Raises ShardUnfit where they were asked for
    different things, or found different weights. Other versions of anything are told."""
    first = shares[0]
    own = spec_of(first)
    for share in shares[1:]:
        spec_of(share)
        if unfit := list(strange(own, first, share)):
            raise ShardUnfit(f"{share.name} is not of the same run as {first.name}: {'; '.join(unfit)}")
        if versions := [f"{name} {was} and {now}" for name, was, now in changed(first.run, share.run)]:
            listener.warn(f"{first.path} and {share.path} were made by {', '.join(versions)}: last digits may differ")
    run = replace(own.run, shard=None)
    if isinstance(own, EvaluateSpec):
        report = replace(own.report, output=spec.joined.output, overwrite=spec.joined.overwrite, resume=False)
        return replace(own, arguments=spec.arguments, run=run, report=report)
    output = replace(own.output, output=spec.joined.output, overwrite=spec.joined.overwrite, resume=False)
    return replace(own, arguments=spec.arguments, run=run, output=output)


def spec_of(share: Share) -> ExplainSpec | EvaluateSpec:
    """Raises ShardUnfit for one that this version does not understand."""
    asked = share.run["spec"]
    try:
        found: ExplainSpec | EvaluateSpec = made(EvaluateSpec if "dataset" in asked else ExplainSpec, asked)
    except ValueError as error:
        raise ShardUnfit(f"{share.name} was made by another version of camtool ({error}); run it again") from None
    return found


def strange(own: ExplainSpec | EvaluateSpec, first: Share, share: Share) -> Iterator[str]:
    """Where a shard is of another run than the first, which was asked for `own`."""
    words = f"in {share.path}", f"in {first.path}"
    yield from differences(own, share.run["spec"], ALWAYS_FREE | {"shard"}, words)
    allowed = share.run["spec"]["run"]["max_failures"]
    if allowed != own.run.max_failures:  # a run may be completed with another one, but only one counts in the end
        yield f"--max-failures: {allowed} {words[0]}, {own.run.max_failures} {words[1]}"
    yield from listed(share.run, first.run["listing"], words)
    yield from unlike(share.run, first.run, words)
