"""LeGrad against torchcam's, where the two are one formula."""

import pytest

pytest.importorskip("pytorch_grad_cam")
pytest.importorskip("torchcam.methods")
pytest.importorskip("captum.attr")

from cam_cli.methods.legrad import LeGrad
from cam_cli.methods.method import Attention

from .again import blocks
from .networks import BLOCKS, VISIBLE, Place, assert_agree, distance
from .peers import by_torchcam


def of_block(place, number):
    """Our LeGrad of one of the network's blocks."""
    seen, probe = place.seen
    whole, one = probe.attention(gradients=True), slice(number, number + 1)

    class Some:
        def attention(self, *, gradients):
            return Attention(whole.matrices[one], whole.gradients[one], whole.prefix, whole.rows, whole.cols)

    return LeGrad().map(seen, Some()).numpy()


@pytest.mark.parametrize("place", [Place(name) for name in BLOCKS], ids=str)
def test_the_last_block_is_torchcams_when_its_head_reads_as_the_network_does(place):
    """And no other block: the network's score is not that of its tokens."""
    model, count = place.network, BLOCKS[place.name]
    reads = lambda tokens: model.heads(model.encoder.ln(tokens)[:, 0])  # noqa: E731
    for number in range(count):
        theirs = by_torchcam("LeGrad", lambda place, number=number: [blocks(place)[number]], score_projection=reads)
        mine = of_block(place, number)
        if number == count - 1:
            assert_agree(mine, theirs(place))
        else:
            assert distance(mine, theirs(place))[1] > VISIBLE
