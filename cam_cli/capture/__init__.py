"""The only room with hooks: runs a model, keeps what its layers put out, and leaves the model as found."""

from .attention import record_attention
from .biases import Biases
from .guided import guided
from .model import forward, module_at, replica, undisturbed
from .observe import observe
from .record import INPUT, Recording, record
from .replay import Tail
from .until import run_until

__all__ = [
    "INPUT",
    "Biases",
    "Recording",
    "Tail",
    "forward",
    "guided",
    "module_at",
    "observe",
    "record",
    "record_attention",
    "replica",
    "run_until",
    "undisturbed",
]
