"""Missing pixels: a dense solution of the same equations, fills known by hand, hard masks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cam_cli.metrics.imputation import impute

from .answering import noise

NEIGHBOURS = {
    (dy, dx): 1 / 6 if dy == 0 or dx == 0 else 1 / 12 for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)
}


def equations(image, missing):
    """(A, b) of road_evaluation's system for the missing pixels in reading order, in loops, dense."""
    _, height, width = image.shape
    places = {(int(y), int(x)): at for at, (y, x) in enumerate(np.argwhere(missing))}
    matrix, right = np.zeros((len(places), len(places))), np.zeros((len(places), len(image)))
    for (y, x), at in places.items():
        matrix[at, at] = -1
        for (dy, dx), weight in NEIGHBOURS.items():
            beside = y + dy, x + dx
            if not (0 <= beside[0] < height and 0 <= beside[1] < width):
                matrix[at, at] += weight
            elif beside in places:
                matrix[at, places[beside]] = weight
            else:
                right[at] -= weight * image[:, *beside]
    return matrix, right


def dense(image, missing):
    """The same fill by a direct solution, float64."""
    filled = image.double().numpy().copy()
    matrix, right = equations(filled, missing.numpy())
    if missing.any():
        filled[:, missing.numpy()] = np.linalg.solve(matrix, right).T
    return filled


def holes(height, width, share, seed, smooth=1):
    """Masks (h, w) of about that share, in blobs of `smooth` pixels; never all pixels."""
    coarse = noise(1, 1, -(-height // smooth), -(-width // smooth), seed=seed)
    field = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0, 0]
    return field <= field.flatten().sort().values[min(int(share * height * width), height * width - 2)]


@pytest.mark.parametrize("size", [(8, 8), (13, 7), (16, 31), (2, 9), (1, 12), (12, 1), (3, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_a_direct_solution(size, channels):
    picture = noise(channels, *size)
    masks = torch.stack([holes(*size, share, seed, 1 + 3 * (seed % 2)) for seed, share in enumerate((0.1, 0.5, 0.9))])
    filled = impute(picture, masks)
    assert filled.dtype == torch.float32
    for one, mask in zip(filled, masks, strict=True):
        np.testing.assert_allclose(one.numpy(), dense(picture, mask), atol=1e-5)
        assert torch.equal(one[:, ~mask], picture[:, ~mask])


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_equals_a_direct_solution_for_any_mask(height, width, data):
    bits = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask = torch.tensor(bits).view(height, width)
    mask.view(-1)[data.draw(st.integers(0, height * width - 1))] = False
    picture = noise(2, height, width, seed=sum(bits))
    np.testing.assert_allclose(impute(picture, mask[None])[0].numpy(), dense(picture, mask), atol=1e-5)


def test_each_missing_pixel_is_the_mean_of_its_neighbours_at_a_real_size():
    """224 px, nine tenths missing in large blobs: the hardest that ROAD asks for."""
    coarse = noise(1, 3, 30, 30)
    picture = torch.nn.functional.interpolate(coarse, (224, 224), mode="bicubic")[0]
    masks = torch.stack([holes(224, 224, share, 3, smooth=32) for share in (0.1, 0.9)])
    filled = torch.nn.functional.pad(impute(picture, masks).double(), (1, 1, 1, 1), value=float("nan"))
    total, weights = torch.zeros(2, 3, 224, 224).double(), torch.zeros(2, 1, 224, 224).double()
    for (dy, dx), weight in NEIGHBOURS.items():
        beside = filled[:, :, 1 + dy : 225 + dy, 1 + dx : 225 + dx]
        inside = ~beside[:, :1].isnan()
        total += weight * beside.nan_to_num()
        weights += weight * inside
    off = (total / weights - filled[:, :, 1:-1, 1:-1]).abs() * masks[:, None]
    assert off.max() < 3e-6
    low, high = picture.amin((1, 2)), picture.amax((1, 2))
    inner = filled[:, :, 1:-1, 1:-1]
    assert ((inner >= low[:, None, None] - 1e-5) & (inner <= high[:, None, None] + 1e-5)).all(), "no overshoot"


def test_a_slope_is_continued_through_a_hole():
    """Linear values solve the equations away from the border; of one pixel by hand, the mean of eight."""
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    picture = torch.stack([2 * x - 3 * y, x, torch.ones_like(x)])
    hole = torch.zeros(20, 30, dtype=torch.bool)
    hole[3:15, 4:25] = True
    torch.testing.assert_close(impute(picture, hole[None])[0], picture, rtol=0, atol=5e-5)
    single = torch.zeros(20, 30, dtype=torch.bool)
    single[0, 0] = True
    corner = impute(picture, single[None])[0, :, 0, 0]  # its three neighbours have 1/6, 1/6 and 1/12
    expected = (picture[:, 0, 1] / 6 + picture[:, 1, 0] / 6 + picture[:, 1, 1] / 12) / (5 / 12)
    torch.testing.assert_close(corner, expected)


def test_all_but_one_pixel():
    picture, hole = noise(3, 9, 9), torch.ones(1, 9, 9, dtype=torch.bool)
    hole[0, 2, 5] = False
    expected = picture[:, 2, 5][:, None, None].expand(3, 9, 9)
    torch.testing.assert_close(impute(picture, hole)[0], expected, rtol=1e-4, atol=1e-5)


def test_nothing_missing_and_nothing_there():
    picture = noise(3, 6, 6)
    assert torch.equal(impute(picture, torch.zeros(2, 6, 6, dtype=torch.bool)), picture.expand(2, 3, 6, 6))
    black = torch.zeros(3, 6, 6)
    assert not impute(black, holes(6, 6, 0.5, 0)[None]).any()


@pytest.mark.parametrize("size", [1e-3, 1e4])
def test_accuracy_goes_with_the_size_of_the_values(size):
    picture, mask = size * noise(3, 16, 16), holes(16, 16, 0.6, 1, 4)
    np.testing.assert_allclose(impute(picture, mask[None])[0].numpy(), dense(picture, mask), rtol=0, atol=1e-5 * size)


def test_a_mask_is_filled_alike_alone_and_among_others():
    picture = noise(3, 40, 40)
    masks = torch.stack([holes(40, 40, share, 2, 8) for share in (0.2, 0.5, 0.9)])
    together = impute(picture, masks)
    for one, mask in zip(together, masks, strict=True):
        torch.testing.assert_close(one, impute(picture, mask[None])[0], rtol=0, atol=1e-5)


def test_what_is_not_a_number_ends_as_well():
    picture = noise(3, 8, 8)
    picture[0, 0, 0] = float("nan")
    assert impute(picture, holes(8, 8, 0.5, 0)[None]).shape == (1, 3, 8, 8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_cuda():
    picture = noise(3, 60, 50)
    masks = torch.stack([holes(60, 50, share, 2, 8) for share in (0.2, 0.9)])
    found = impute(picture.cuda(), masks.cuda())
    assert found.is_cuda
    torch.testing.assert_close(found.cpu(), impute(picture, masks), rtol=0, atol=1e-5)
