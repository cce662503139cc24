"""The door to the selector: the network, and the weights that others released."""

from sola.network.selector import SelectorOutput, TrackSelector
from sola.network.weights import load_released

__all__ = ["SelectorOutput", "TrackSelector", "load_released"]
