"""What ends packing or verifying: one error, whose message names the file and what is wrong with it."""


class PackageError(Exception):
    """A package can't be made, or is not what it should be."""
