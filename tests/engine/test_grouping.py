"""Groups of classes: their scores, and that cam of a group is the gradient of its score."""

import numpy as np
import pytest
import torch

from cam_cli.engine.answers import Reading
from cam_cli.engine.grouping import Grouping
from cam_cli.models.labels import Labels
from tests.engine.test_explain import explainer, picture
from tests.nets import ByHand, Residual, seeded

GROUPS = Grouping(((0, 2), (3,), (1, 2, 3)))
LABELS = Labels(("pet", "bird", "others"))


def test_scores_of_groups_add_up_probabilities():
    logits = torch.tensor([[1.0, 2.0, 3.0, -1.0]])
    grouped = Grouping(((0, 2), (1, 3))).scores(logits)
    p = logits.softmax(1)[0]
    torch.testing.assert_close(grouped.softmax(1)[0], torch.stack([p[0] + p[2], p[1] + p[3]]))


@pytest.mark.parametrize(
    ("model", "layer", "groups"),
    [(seeded(Residual()), "last", GROUPS), (ByHand(), "features", Grouping(((0, 1), (1,))))],
    ids=["rectified", "by hand"],
)
def test_cam_of_a_group_is_the_gradient_of_its_score(model, layer, groups):
    """Between the layer and the scores is nothing but ReLU, mean and a linear layer, so hirescam is cam over cells."""
    count = len(groups.members)
    labels = Labels(LABELS.names[:count])
    run = explainer(model, (f"cam@{layer}", f"hirescam@{layer}"), ("all",), reading=Reading(labels), grouping=groups)
    for one in run([picture("a"), picture("b", seed=3)]):
        assert one.probabilities.shape == (count,)
        for cam, hirescam in zip(one.maps[:count], one.maps[count:], strict=True):
            np.testing.assert_allclose(cam.raw, hirescam.raw * cam.raw.size, rtol=1e-4, atol=1e-5)


def test_a_group_of_one_is_its_class():
    model = seeded(Residual())
    plain = explainer(model, ("cam@last",), ("owl",))
    grouped = explainer(model, ("cam@last",), ("1",), reading=Reading(LABELS), grouping=GROUPS)
    (one,), (other,) = plain([picture("a")]), grouped([picture("a")])
    np.testing.assert_allclose(one.maps[0].raw, other.maps[0].raw, rtol=1e-5, atol=1e-6)
    assert one.maps[0].target.logit == pytest.approx(other.maps[0].target.logit)
