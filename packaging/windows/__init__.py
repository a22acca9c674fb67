"""Making ddns for Windows on Linux: CPython, compiler, launcher, packages, and Wine to build with and to try in."""
