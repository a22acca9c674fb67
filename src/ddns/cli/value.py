"""Values with named fields for what monitoring asks often: data classes cost more than the answer (decision 0006)."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, whose import costs as well
if TYPE_CHECKING:
    from typing import dataclass_transform
else:

    def dataclass_transform(**_settings: bool):  # noqa: ANN201 - the type checker never sees this one
        """Nothing: what it tells is for the type checker."""
        return lambda one: one


@dataclass_transform(frozen_default=True)
class Value:
    """A class of its own lists fields as annotations, and is made with them by place or by name."""

    def __init__(self, *values: object, **fields: object) -> None:
        self.__dict__.update(zip(type(self).__annotations__, values, strict=False), **fields)
