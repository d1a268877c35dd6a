"""The engines a user could pick instead of ours, side by side: the same problem, wall clock and cores for each.

`run(engine, problem, seconds, seed, cores)` is the door; whatever an engine returns is judged by our own evaluator.
"""

from lastmile.routing.peers.running import ENGINES, EngineMissing, EngineRun, TracePoint, require, run
from lastmile.routing.peers.saying import NotSaid
from lastmile.routing.peers.trimming import trimmed

__all__ = ["ENGINES", "EngineMissing", "EngineRun", "NotSaid", "TracePoint", "require", "run", "trimmed"]
