"""Builds the emoji text-to-image data set; see ../README.md."""


class BuildError(Exception):
    """What went wrong and what to do about it, in one sentence."""
