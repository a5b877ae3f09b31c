"""`camtool methods`, `metrics`, `models`, `classes`, `layers` and `schema`: what can be named, on stdout."""

from __future__ import annotations

from typing import Annotated

import typer

from cam_cli.errors import UsageError
from cam_cli.specs.model import ModelSpec

Json = Annotated[bool, typer.Option("--json", help="As a JSON array.")]
Query = Annotated[str, typer.Argument(help="A part of a name, a WNID or an index; nothing lists all.")]


def methods(as_json: Json = False) -> None:
    from cam_cli.methods import METHODS

    from .stdout import listed

    listed(({"method": name, "what": entry.summary} for name, entry in METHODS.items()), as_json)


def metrics(as_json: Json = False) -> None:
    from cam_cli.metrics import METRICS
    from cam_cli.metrics.listing import described

    from .stdout import listed

    listed((described(name) for name in METRICS), as_json)


def models(as_json: Json = False) -> None:
    from cam_cli.models import catalog

    from .stdout import listed

    listed(catalog(), as_json)


def classes(model: ModelSpec, query: Query = "", as_json: Json = False) -> None:
    from cam_cli.models import labels_of

    from .stdout import listed

    labels = labels_of(model.only)
    found = labels.search(query) if query else range(len(labels.names))
    listed(
        (
            {"index": index, "wnid": labels.wnids[index] if labels.wnids else None, "name": labels.names[index]}
            for index in found
        ),
        as_json,
    )


def layers(model: ModelSpec, as_json: Json = False) -> None:
    from cam_cli.models import load
    from cam_cli.models.layers import survey

    from .stdout import listed

    network = load(model.only, shapes_only=True)
    for note in network.notes:
        typer.echo(f"camtool: warning: {note}", err=True)
    found = survey(network)
    default = found.default if found.stages else None
    listed(
        (
            {
                "layer": layer.path,
                "type": layer.kind,
                "channels": layer.channels,
                "rows": layer.rows,
                "cols": layer.cols,
                "stride": layer.stride,
                "prefix": layer.prefix,
                "stage": layer.stage,
                "default": layer == default,
            }
            for layer in found.layers
        ),
        as_json,
    )


def schema(name: Annotated[str, typer.Argument(help="result or report")] = "result") -> None:
    if name not in ("result", "report"):
        raise UsageError(f"no schema is called {name!r} (known: result, report)")
    import json

    from cam_cli.outputs.report.schema import report_schema
    from cam_cli.outputs.schema import result_schema

    from .stdout import Stdout

    made = result_schema() if name == "result" else report_schema()
    Stdout().write((json.dumps(made, indent=1) + "\n").encode())
