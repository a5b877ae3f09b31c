"""Pixels in: which images a run has (`sources`), what a file says of itself (`header`), its pixels (`decode`), and what
a network is shown of them (`preprocess`). Listing needs no torch, numpy or cv2, so nothing is imported here."""
