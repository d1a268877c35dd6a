"""The commands of the command line, in the order in which help lists them."""

from lastmile.commands import (
    access,
    analysis,
    arrivals,
    exceptions,
    files,
    hindsight,
    notices,
    operation,
    reoptimizing,
    solving,
    travel,
)
from lastmile.commands.command import Command

COMMANDS: tuple[Command, ...] = (
    *operation.COMMANDS,
    *files.COMMANDS,
    *access.COMMANDS,
    *analysis.COMMANDS,
    *hindsight.COMMANDS,
    *reoptimizing.COMMANDS,
    *notices.COMMANDS,
    *solving.COMMANDS,
    *travel.COMMANDS,
    *arrivals.COMMANDS,
    *exceptions.COMMANDS,
)

__all__ = ["COMMANDS", "Command"]
