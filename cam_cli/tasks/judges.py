"""An evaluation's models, loaded: each with its runs, its words for the data's classes, and what asks it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from cam_cli.choice import ModelChoice
from cam_cli.datasets.classmap import read_class_map
from cam_cli.datasets.dataset import Dataset
from cam_cli.engine.allocator import keep_blocks
from cam_cli.engine.answers import Reading
from cam_cli.engine.beside import Beside
from cam_cli.engine.column import Column
from cam_cli.engine.device import choose_device
from cam_cli.engine.imageprobe import Inquiry, Randomised
from cam_cli.engine.judge import Judge
from cam_cli.engine.judged import Judged
from cam_cli.engine.selection import parse_selections
from cam_cli.engine.vocabulary import Vocabulary
from cam_cli.metrics.metric import Metric
from cam_cli.models import resolved
from cam_cli.models.network import Network
from cam_cli.specs import ClassSpec, ExplainSpec, OutputSpec
from cam_cli.specs.evaluate import EvaluateSpec
from cam_cli.types import Failure

from .bench import BASELINES, UNKNOWN, Bench, Lineup
from .classes import Classes
from .columns import make_methods
from .explainer import Prepared, prepare, reader
from .flow import make_flow
from .listener import Listener


def from_models(spec: EvaluateSpec, dataset: Dataset, asking: Mapping[str, Metric], listener: Listener) -> Bench:
    """Loads the models of --model. asking: the metrics that ask the network, by key. Raises what loading raises, and
    ClassUnknown for a model that knows no class of the data."""
    keep_blocks()
    device = choose_device(spec.run.device)
    shown = ExplainSpec((), (), spec.model, ClassSpec(), spec.methods, spec.shown, OutputSpec(), spec.run)
    methods = make_methods(shown.method.methods, shown.method.smooth)
    choices = tuple(map(resolved, spec.model.choices()))
    baselines = BASELINES if spec.metric.baselines else {}
    judges, runs, views = [], [], []
    for choice in choices:
        words: list[Vocabulary] = []
        resolve = partial(known_classes, spec, dataset, bool(asking), words)
        passes = len(dataset.truths) * (1 + sum(metric.passes for metric in asking.values()))
        prepared = prepare(shown, choice, methods, device, listener, resolve, passes)
        (vocabulary,) = words
        own = run_names(choice, prepared.explainer.columns)
        facts = {key: prepared.facts[key] for key in ("weights", "sha256")}
        runs += [
            {
                "run": run,
                "model": choice.alias,
                "network": prepared.facts["name"],
                **facts,
                "method": column.name,
                "layers": [layer.path for layer in column.layers],
            }
            for run, column in zip(own, prepared.explainer.columns, strict=True)
        ]
        judges.append(make_judge(spec, prepared, vocabulary, own, asking))
        views.append(prepared)
    for label in dict.fromkeys(label for judge in judges for label in judge.vocabulary.unknown):
        listener.warn(f"class {label!r} of the data {UNKNOWN}")
    beside = Beside[Judged | Failure](tuple(judges))
    read = reader(shown.geometry, tuple(one.view for one in views))
    unknown = tuple(dict.fromkeys(label for judge in judges for label in judge.vocabulary.unknown))
    facts = {"models": [one.facts for one in views], "device": str(device), "precision": spec.run.precision}
    heavy, count = bool(asking) or any(one.explainer.heavy for one in views), len(dataset.truths)
    return Bench(
        make_flow(read, beside, spec.run, device, count, heavy=heavy, free=True),
        Lineup(tuple(runs), tuple(baselines), unknown, facts),
        {choice.alias: judge.vocabulary.truths for choice, judge in zip(choices, judges, strict=True)},
    )


def known_classes(
    spec: EvaluateSpec, dataset: Dataset, explained: bool, words: list[Vocabulary], network: Network
) -> Classes:
    """The classes of an evaluation: those of each image, and first the one explained, where metrics ask the network
    again or nobody says what is in the images. words: where the vocabulary is put."""
    spellings = dataset.spellings
    if spec.data.class_map is not None:
        groups = read_class_map(spec.data.class_map)
        vocabulary = Vocabulary.grouped(network.labels, groups, spellings, dataset.by_id)
    else:
        vocabulary = Vocabulary.match(network.labels, spellings, dataset.by_id, dataset.path)
    words.append(vocabulary)
    reading = Reading(vocabulary.labels, network.activation)
    texts: tuple[str, ...] = ("truth",)
    if spec.metric.explained == "top" and (explained or not spellings):
        texts = ("top1", "truth")
    selections = parse_selections(texts, vocabulary.labels.find, reading)
    return Classes(reading, selections, None, vocabulary, len(dataset.truths), vocabulary.grouping)


def run_names(choice: ModelChoice, columns: Sequence[Column]) -> tuple[str, ...]:
    """What the report calls the runs of one model: `ALIAS.METHOD`, with the layer where a method has several."""
    methods = [column.name for column in columns]
    return tuple(
        ".".join([choice.alias, column.name] + [column.label] * (methods.count(column.name) > 1)) for column in columns
    )


def make_judge(
    spec: EvaluateSpec, prepared: Prepared, vocabulary: Vocabulary, runs: Sequence[str], asking: Mapping[str, Metric]
) -> Judge:
    explainer = prepared.explainer
    classes = {name: index for index, name in enumerate(vocabulary.names)}
    randomised = Randomised(prepared.seen, spec.run.seed, explainer.device)
    inquiries = {
        run: Inquiry(explainer, column, classes, randomised)
        for run, column in zip(runs, explainer.columns, strict=True)
    }
    return Judge(explainer, vocabulary, inquiries, asking, BASELINES if spec.metric.baselines else {})
