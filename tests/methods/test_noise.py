"""Noise: how much, of what seed, how often; and that threads change nothing."""

import pytest
import torch

from cam_cli.methods.method import Captured, Target
from cam_cli.methods.noise import noisy


def seen(*seeds):
    """Images of which the i-th has values from 0 to i + 1."""
    inputs = torch.linspace(0, 1, 3 * 40 * 40).view(1, 3, 40, 40) * torch.arange(1.0, len(seeds) + 1).view(-1, 1, 1, 1)
    return Captured(inputs, torch.zeros(len(seeds), 2), Target.of(torch.zeros(len(seeds), dtype=torch.int64)), seeds)


def added(batch, samples, noise=0.25):
    drawn = [one - batch.inputs for one in noisy(batch, samples, noise)]
    return torch.stack(drawn) if drawn else torch.empty(0, 1)


def test_it_is_gaussian_and_as_strong_as_each_images_range_says():
    found = added(seen(11, 1_000), 100)
    for image, sigma in enumerate((0.25, 0.5)):
        values = found[:, image].double() / sigma
        assert abs(values.mean()) < 0.01
        assert abs(values.var() - 1) < 0.01
        assert abs((values.abs() < 1).double().mean() - 0.6827) < 0.005
        assert abs((values.abs() < 2).double().mean() - 0.9545) < 0.005


@pytest.mark.parametrize("samples", [0, 1, 16, 17, 33])
def test_every_sample_is_another_and_there_are_as_many_as_asked(samples):
    found = added(seen(3), samples).flatten(1)
    assert len(found) == samples
    assert len({tuple(one) for one in found.tolist()}) == samples


def test_an_images_noise_is_that_of_its_seed_in_whatever_batch_it_is():
    together, alone = added(seen(5, 9), 3), added(seen(5), 3)
    torch.testing.assert_close(together[:, :1], alone, rtol=0, atol=1e-6)
    assert not torch.allclose(together[:, 1] / 2, alone[:, 0], atol=0.1)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_change_it(threads):
    before, expected = torch.get_num_threads(), added(seen(7), 20)
    torch.set_num_threads(threads)
    try:
        assert torch.equal(added(seen(7), 20), expected)
    finally:
        torch.set_num_threads(before)
