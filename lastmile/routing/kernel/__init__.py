"""The compiled search: the whole problem, ruin and recreate, hundreds of thousands of gaps tried a second."""

from lastmile.routing.kernel.kernel import Kernel

__all__ = ["Kernel"]
