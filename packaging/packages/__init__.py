"""Packing what the build made: zip, MSI, hash list and seal, signatures, bill of materials, foreign manifests.

Every function takes the built tree as a parameter and knows nothing of how it was built. Layout and formats:
docs/design/packages.md.
"""
