"""Every registered method on networks of different kinds: shapes, determinism, batches, the model untouched."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from cam_cli.engine.answers import Reading
from cam_cli.engine.explain import Column, Explainer
from cam_cli.engine.selection import parse_selections
from cam_cli.methods import METHODS
from cam_cli.methods.method import Needs
from cam_cli.models.head import find_head
from cam_cli.models.labels import Labels
from cam_cli.models.layers import survey
from tests.engine.test_explain import picture
from tests.nets import ByHand, Residual, seeded
from tests.test_capture import assert_same, state


def torchvision(name):
    import torchvision.models

    torch.manual_seed(0)
    return getattr(torchvision.models, name)(num_classes=5).eval()


NETS = {
    "by hand": (lambda: ByHand(), 16),
    "residual": (lambda: seeded(Residual()), 16),
    "resnet18": (lambda: torchvision("resnet18"), 64),
    "mobilenet_v2": (lambda: torchvision("mobilenet_v2"), 64),
    "squeezenet1_1": (lambda: torchvision("squeezenet1_1"), 64),
    "shufflenet_v2_x0_5": (lambda: torchvision("shufflenet_v2_x0_5"), 64),
}


@pytest.fixture(params=NETS)
def net(request):
    make, size = NETS[request.param]
    return make(), size


def explainer(name: str, model: torch.nn.Module, size: int) -> Explainer:
    method = METHODS.load(name)()
    head = find_head(model, size)
    seen = survey(model, size)
    groups = seen.choose(head.layer) if Needs.HEAD in method.needs else [(seen.default,), (seen.layers[0],)]
    columns = tuple(Column(name, method, group, group[0].path) for group in groups)
    classes = model(torch.zeros(1, 3, size, size)).shape[1]
    labels = Labels(tuple(f"class {index}" for index in range(classes)), None)
    selections = parse_selections(("top2",), labels.find, Reading(labels))
    return Explainer(model, Reading(labels), columns, selections, head, "mean", 0.0, torch.device("cpu"), "fp32")


@pytest.mark.parametrize("name", METHODS)
def test_contract(name, net):
    model, size = net
    run = explainer(name, model, size)
    model.train()
    before = state(model)
    pictures = [picture(str(seed), size, seed) for seed in range(3)]
    found, again = list(run(pictures)), list(run(pictures))
    assert_same(before, state(model))
    for one, other, source in zip(found, again, pictures, strict=True):
        (alone,) = run([source])
        assert len(one.maps) == 2 * len(run.columns)
        for mine, theirs, single in zip(one.maps, other.maps, alone.maps, strict=True):
            (layer,) = next(column.layers for column in run.columns if column.layers[0].path == mine.layers[0])
            assert mine.raw.shape == (layer.rows, layer.cols)
            assert mine.raw.dtype == np.float32
            assert np.isfinite(mine.raw).all()
            np.testing.assert_array_equal(mine.raw, theirs.raw)
            np.testing.assert_allclose(mine.raw, single.raw, atol=1e-5 * max(1, abs(mine.raw).max()))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_documented_and_frozen(name):
    kind = METHODS.load(name)
    assert re.search(r"arXiv:\d{4}\.\d{4,5}|doi:10\.\d{4}/\S", kind.__doc__), "the paper"
    assert re.search(r"[=Σ]", kind.__doc__), "the formula"
    with pytest.raises(AttributeError):
        kind().needs = Needs.HEAD
    assert METHODS[name].summary


def test_every_method_file_is_registered():
    import cam_cli.methods

    files = {path.stem for path in Path(cam_cli.methods.__file__).parent.glob("*.py")} - {"__init__", "method"}
    assert files == {entry.target.split(":")[0].rpartition(".")[2] for entry in METHODS.values()}
