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


@pytest.mark.parametrize(("images", "most"), [(1, 16), (3, 15), (20, 20)])
def test_noisy_copies_go_together(images, most):
    """As many as a pass holds; of a large batch each copy of it goes alone."""
    seen, probe = captured(seeded(Residual()), noise(images, 3, 16, 16), "branch", [1] * images)
    found, sizes = quick("smoothgradcam++:samples=21").map(seen, probe), []
    own = probe.record

    def counted(batch, target):
        sizes.append(len(batch))
        return own(batch, target)

    probe.record = counted
    assert torch.equal(quick("smoothgradcam++:samples=21").map(seen, probe), found)
    assert max(sizes) == most
    assert sum(sizes) == 21 * images


@pytest.mark.parametrize("most", [1, 3, 7])
def test_noisy_copies_go_apart_where_memory_is_short(most):
    method = quick("smoothgradcam++:samples=10")
    seen, probe = captured(seeded(Residual()), noise(1, 3, 16, 16), "branch", [2])
    whole, own = method.map(seen, probe), probe.record

    def small(batch, target):
        if len(batch) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return own(batch, target)

    probe.record = small
    torch.testing.assert_close(method.map(seen, probe), whole, rtol=1e-5, atol=1e-5 * whole.abs().max())
    most = 0
    with pytest.raises(torch.OutOfMemoryError):
        method.map(seen, probe)


def test_of_each_image_its_own_target_is_derived():
    """Whatever else is in the pass: the other images, and the other copies."""
    model, images = seeded(Residual()), noise(3, 3, 16, 16)
    _, probe = captured(model, images, "branch", [0, 1, 2])
    batches = [images, 2 * images, images - 1, images.flip(3), images / 2, images + 3]
    for batch, slopes in zip(batches, probe.slopes(batches), strict=True):
        for row in range(3):
            alone, _ = captured(model, batch[row : row + 1], "branch", [row])
            torch.testing.assert_close(slopes[row], alone.gradients[0], rtol=1e-5, atol=1e-7)
