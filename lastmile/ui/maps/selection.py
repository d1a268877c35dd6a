"""From a click on a map to the id of what was clicked; positions in a layer are never kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

KIND_OF_LAYER = {"vehicles": "vehicle", "stops": "delivery", "covered": "delivery", "depots": "depot"}


@dataclass(frozen=True)
class Chosen:
    """What a person has picked: `kind` is vehicle, delivery, depot or exception; `id` its id."""

    kind: str
    id: str


def layer_id(key: str, layer: str) -> str:
    """The id of a pickable layer; its number grows to make the browser drop a selection that is out of date."""
    return f"{layer} {st.session_state.get(f'{key} {layer} turn', 0)}"


def turns(key: str) -> tuple[str, ...]:
    """The ids that a map's pickable layers have now."""
    return tuple(layer_id(key, layer) for layer in KIND_OF_LAYER)


def forget_stale(key: str, chosen: Chosen | None) -> None:
    """Drop the browser's selection where something else has been chosen since, as from a table or a link."""
    picked = st.session_state.get(f"{key} picked")
    if picked is not None and picked[1] != chosen:
        turn = f"{key} {picked[0]} turn"
        st.session_state[turn] = st.session_state.get(turn, 0) + 1
        st.session_state[f"{key} picked"] = None


def on_pick(key: str, choose: Callable[[Chosen | None], None]) -> Callable[[], None]:
    """The callback of a map: tells `choose` what was picked, or None when the pick was taken back."""

    def picked() -> None:
        """Also called on ticks, since the browser sends what it has selected anew when the data under it move."""
        found = _picked(key, st.session_state[key].selection)
        before = st.session_state.get(f"{key} picked")
        if found != before:
            st.session_state[f"{key} picked"] = found
            choose(found[1] if found else None)

    return picked


def _picked(key: str, selection: Any) -> tuple[str, Chosen] | None:
    """Layer and choice; nothing where the layer is one that the browser was told to forget."""
    for name, objects in selection.get("objects", {}).items():
        layer = name.split(" ")[0]
        if layer in KIND_OF_LAYER and objects and name == layer_id(key, layer):
            told = objects[0].get("properties", objects[0])
            return layer, Chosen(KIND_OF_LAYER[layer], str(told["id"]))
    return None
