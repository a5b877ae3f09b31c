"""What features are centred by, by hand."""

import pytest
import torch

from cam_cli.training.centring import centred


def test_by_hand():
    """Of two channels over four cells: 1, 3, 3, 1 with mean 2, variance 1; 0, 0, 4, 0 with mean 1, variance 3."""
    grids = [torch.tensor([[[[1.0, 3.0]], [[0.0, 0.0]]]]), torch.tensor([[[[3.0], [1.0]], [[4.0], [0.0]]]])]
    found = centred(grids, 2)
    assert found.mean.flatten().tolist() == [2.0, 1.0]
    assert found.spread.item() == pytest.approx(2**0.5)
    assert found(grids[0])[0, 0, 0].tolist() == pytest.approx([-(2**-0.5), 2**-0.5])


def test_grids_of_several_sizes_count_by_their_cells():
    draw = torch.Generator().manual_seed(0)
    grids = [torch.randn(count, 7, side, side + 1, generator=draw) + 5 for count, side in ((3, 2), (1, 6), (4, 4))]
    cells = torch.cat([grid.transpose(0, 1).flatten(1) for grid in grids], 1)
    found = centred(iter(grids), 7)
    torch.testing.assert_close(found.mean.flatten(), cells.mean(1))
    torch.testing.assert_close(found.spread, cells.var(1, correction=0).mean().sqrt())


@pytest.mark.parametrize("seed", range(8))
def test_where_nothing_varies(seed):
    """What rounding leaves of a variance is no spread."""
    value = torch.rand(7, generator=torch.Generator().manual_seed(seed))
    found = centred(50 * [value[:, None, None].expand(5, 7, 6, 6)], 7)
    assert found.spread.item() == 1.0
    torch.testing.assert_close(found.mean.flatten(), value)
    assert found.mean.dtype == found.spread.dtype == torch.float32


def test_without_features_nothing_is_moved():
    found = centred([], 3)
    assert (found.mean.flatten().tolist(), found.spread.item()) == ([0.0] * 3, 1.0)


def test_features_of_half_precision_and_great_size():
    found = centred([torch.full((2, 3, 4, 4), 65504.0, dtype=torch.float16)], 3)
    assert found.mean.flatten().tolist() == [65504.0] * 3
    assert found.spread.item() == 1.0
