"""Seeds of random draws that are the same for an image in whatever run it comes."""

import hashlib


def seed_of(seed: int, image: str) -> int:
    """A seed for one image of a run: the same in whatever batch, order or selection it comes."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{image}".encode("utf-8", "surrogateescape")).digest()[:7], "big")
