"""Where a training begins: at random weights, or at those of another training."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from rvosbench.errors import WeightsError
from sola.network.released import read_state_dict, rename
from sola.network.selector import TrackSelector
from sola.network.weights import WEIGHTS_FILE, checkpoint_hash

EMBEDDED = Path(__file__).parents[1] / "weights" / "motion"
"""A motion encoder that knows what shapes of MotionShapes do, see `recipes.selector.motion`."""


def load_initial(model: TrackSelector, source: str) -> None:
    """Gives a selector the weights of another one, or of a part of one, in place.

    Args:
        model: parts that the source lacks stay as they are.
        source: "demo" (the embedded motion encoder), a folder written by training or by a recipe,
            or a checkpoint of the released code.

    Raises:
        WeightsError: no weights there, or tensors that the selector has not, or of other shapes.
    """
    path = _place(source)
    state = {name: value.float() for name, value in _read(path).items()}
    if not state:
        raise WeightsError(
            f"init={source}: holds no tensors. Wanted a state dict, or one under model, state_dict "
            "or model_state_dict."
        )
    have = model.state_dict()
    wrong = [
        _shapes(name, value, have)
        for name, value in state.items()
        if _differs(value, have.get(name))
    ]
    if wrong:
        raise WeightsError(
            f"init={source}: {len(wrong)} of its {len(state)} tensors do not fit this network, "
            f"such as {wrong[0]}. Give weights of a network of the same shape, or change it with "
            "--set selector.KEY=VALUE."
        )
    model.load_state_dict({**have, **state})


def initial_hash(source: str) -> str:
    """SHA-256 (hex) of the weights that a training begins at; empty for random ones.

    Raises:
        WeightsError: no weights there.
    """
    if not source:
        return ""
    path = _place(source)
    _exists(path)
    return checkpoint_hash(path)


def _place(source: str) -> Path:
    # As everywhere: "demo" is what is embedded, a folder of that name is ./demo
    return EMBEDDED if source == "demo" else Path(source).expanduser()


def _read(path: Path) -> dict[str, Tensor]:
    _exists(path)
    state = read_state_dict(path / WEIGHTS_FILE if path.is_dir() else path)
    return {rename(name): value for name, value in state.items()}


def _exists(path: Path) -> None:
    if not (path / WEIGHTS_FILE if path.is_dir() else path).is_file():
        raise WeightsError(
            f"init={path}: no weights to begin with ({WEIGHTS_FILE} is missing). Give a folder "
            'written by `rvosbench sola train`, a checkpoint of the released code, or "demo".'
        )


def _differs(value: Tensor, mine: Tensor | None) -> bool:
    return mine is None or mine.shape != value.shape


def _shapes(name: str, value: Tensor, have: dict[str, Tensor]) -> str:
    mine = f"here {tuple(have[name].shape)}" if name in have else "not here"
    return f"{name} {tuple(value.shape)} ({mine})"
