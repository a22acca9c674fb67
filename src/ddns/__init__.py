"""ddns: dynamic DNS for fleets. Importing the package costs nothing."""

__version__ = "0.1.0"
