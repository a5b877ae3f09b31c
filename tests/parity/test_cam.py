"""CAM against torchcam, on four networks."""

import pytest
import torch

from cam_cli.models.head import find_head

from .networks import HEADS, SIDE, assert_agree, cam, images, network, targets

torchcam = pytest.importorskip("torchcam.methods")


@pytest.mark.parametrize("name", HEADS)
def test_torchcam(name):
    """torchcam has to be told both layers; ours are found. SqueezeNet pools the ReLU of its class maps, which are the
    last convolution's output: torchcam leaves out that convolution's bias and the ReLU."""
    model, ours = network(name), cam(name)
    squeezenet = name.startswith("squeezenet")
    layer = "features" if squeezenet else find_head(model, SIDE).layer
    with torchcam.CAM(model, layer, HEADS[name]) as extractor, torch.no_grad():
        model(images())
        (theirs,) = extractor(targets(name), normalized=False)
    if squeezenet:
        theirs = (theirs + model.get_submodule(HEADS[name]).bias[targets(name), None, None]).relu()
    assert_agree(ours, theirs.detach().numpy())
