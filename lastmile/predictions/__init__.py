"""When each open stop will be reached, how sure that is, and how good such predictions have been. Frames in, frames out.

A state is a frame of macro open_stops_at: one row per instant and stop still to be reached, as known at the instant.
"""

from lastmile.predictions.accuracy import HORIZONS, METHODS, accuracy, by_horizon, volatility
from lastmile.predictions.chances import AT_RISK_CHANCE
from lastmile.predictions.learning import learn
from lastmile.predictions.model import Model
from lastmile.predictions.past import judged, learned_before, state
from lastmile.predictions.predicting import COLUMNS, predict
from lastmile.predictions.standing import stops_by_prediction, vehicles_by_prediction

__all__ = [
    "AT_RISK_CHANCE",
    "COLUMNS",
    "HORIZONS",
    "METHODS",
    "Model",
    "accuracy",
    "by_horizon",
    "judged",
    "learn",
    "learned_before",
    "predict",
    "state",
    "stops_by_prediction",
    "vehicles_by_prediction",
    "volatility",
]
