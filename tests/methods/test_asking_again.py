"""Rules for methods that ask the network again: the same map each time, the model untouched, memory bounded."""

import itertools

import pytest
import torch

from cam_cli.errors import ModelFailed
from cam_cli.methods.choice import Choice
from tests.nets import Residual, seeded
from tests.test_capture import assert_same, state

from .asking import captured

QUICK = [
    "scorecam", "sscam:samples=2", "iscam:steps=2", "ablationcam", "rise:masks=40,cells=4",
    "occlusion:patch=4,stride=3", "input_gradient", "smoothgrad:samples=3", "guided_backprop", "guided_gradcam",
    "random", "centre",
]  # fmt: skip


def quick(text):
    _, method = Choice.parse(text).load()
    return method


def noise(*shape, seed=2):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("text", QUICK)
def test_again_alone_or_in_a_batch_the_map_is_the_same_and_the_model_untouched(text):
    model, images, method = seeded(Residual()), noise(3, 3, 16, 16), quick(text)
    layer = "branch" if method.needs else None
    model.train()
    before = state(model)
    seen, probe = captured(model, images, layer, [0, 1, 2])
    found = method.map(seen, probe)
    assert_same(before, state(model))
    assert found.dtype == torch.float32
    assert found.isfinite().all()
    assert not found.requires_grad
    torch.testing.assert_close(method.map(seen, probe), found, rtol=0, atol=0)
    for row in range(3):
        alone, probe = captured(model, images[row : row + 1], layer, [row])
        alone = type(alone)(**{**vars(alone), "seeds": (row,)})
        torch.testing.assert_close(
            method.map(alone, probe)[0], found[row], rtol=1e-5, atol=1e-5 * found[row].abs().max()
        )


@pytest.mark.parametrize("text", [text for text in QUICK if text.partition(":")[0] not in ("random", "centre")])
def test_the_model_is_untouched_after_an_exception(text):
    """The network fails in its first pass, or in the third: with Ablation-CAM that is a replay."""
    model, method = seeded(Residual()), quick(text)
    seen, probe = captured(model, noise(1, 3, 16, 16), "branch" if method.needs else None, [1])
    before, calls, own = state(model), itertools.count(), model.fc.forward

    def failing(x):
        if next(calls) == (2 if text[:4] in ("abla", "rise") else 0):
            raise RuntimeError("no more")
        return own(x)

    model.fc.forward = failing
    with pytest.raises(ModelFailed, match="no more"):
        method.map(seen, probe)
    assert vars(model.fc)["forward"] is failing
    del model.fc.forward
    assert_same(before, state(model))


@pytest.mark.parametrize("name", ["scorecam", "sscam", "iscam", "ablationcam", "rise", "occlusion"])
def test_images_are_made_a_pass_at_a_time(name):
    """However many there are, no more than a pass of 16 and the next one are alive."""
    method = quick(
        {"sscam": "sscam:samples=9", "rise": "rise:masks=90", "occlusion": "occlusion:stride=1"}.get(name, name)
    )
    seen, probe = captured(seeded(Residual()), noise(1, 3, 16, 16), "branch" if method.needs else None, [1])
    sizes, ahead = [], []
    real = probe.forward.in_passes

    def in_passes(run, inputs, passed):
        made = done = 0

        def counted():
            nonlocal made
            for one in inputs:
                made += 1
                ahead.append(made - done)
                yield one

        def told(more):
            nonlocal done
            done += more
            passed(more)

        def ran(batch):
            sizes.append(len(batch))
            return run(batch)

        return real(ran, counted(), told)

    object.__setattr__(probe.forward, "in_passes", in_passes)
    told = []
    probe.progress = lambda done, count: told.append((done, count))
    method.map(seen, probe)
    assert max(sizes) <= 16
    assert max(ahead) <= 16
    assert told[-1][0] == told[-1][1] == sum(sizes), "the count that the method gives is the count it makes"
