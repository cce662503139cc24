"""Weights of a selector on disk: everything that is read, written or hashed of them.

    OUT/config.json         shape of the network
    OUT/model.safetensors   its tensors; alone, they are weights that a training can begin with
    OUT/training.json       what it was trained with

A `.safetensors`, `.pt` or `.pth` file of the authors' released code is read wherever a folder is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from rvosbench.config import configure
from rvosbench.errors import ConfigurationError, WeightsError
from rvosbench.files.atomic import write_bytes, write_json
from rvosbench.records import Json
from sola.config import SelectorConfig
from sola.network.selector import TrackSelector

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
TRAINING_FILE = "training.json"
WRAPPERS = ("model", "state_dict", "model_state_dict")

EMBEDDED = Path(__file__).parents[1] / "weights" / "motion"
"""A motion encoder that knows what shapes of MotionShapes do, see `recipes.selector.motion`."""

# Released name -> ours. Numbers of the encoder are positions in a sequence of
# (convolution, norm, activation, dropout) blocks.
RENAMES: tuple[tuple[str, str], ...] = (
    (r"negative_token\.weight", "negative_anchors"),
    (r"positional_encoding_gaussian_matrix", "time_frequencies"),
    (r"short_motion_encoder\.20\.", "motion_encoder.project."),
    *((rf"short_motion_encoder\.{4 * i}\.", f"motion_encoder.convs.{i}.") for i in range(5)),
    *((rf"short_motion_encoder\.{4 * i + 1}\.", f"motion_encoder.norms.{i}.") for i in range(5)),
    (r"object_lang_align_layers\.(\d+)\.obj_attn\.", r"layers.\1.objects.attention."),
    (r"object_lang_align_layers\.(\d+)\.motion_attn\.", r"layers.\1.motion.attention."),
    (r"object_lang_align_layers\.(\d+)\.object2lang_attn\.", r"layers.\1.language.attention."),
    (r"object_lang_align_layers\.(\d+)\.norm\.0\.", r"layers.\1.objects.norm."),
    (r"object_lang_align_layers\.(\d+)\.norm\.1\.", r"layers.\1.motion.norm."),
    (r"object_lang_align_layers\.(\d+)\.norm\.2\.", r"layers.\1.language.norm."),
    (r"attention\.q_proj\.", "attention.query."),
    (r"attention\.k_proj\.", "attention.key."),
    (r"attention\.v_proj\.", "attention.value."),
    (r"attention\.out_proj\.", "attention.out."),
)


def save_selector(folder: Path, model: TrackSelector, dtype: torch.dtype = torch.float32) -> None:
    """Writes `config.json` and `model.safetensors` into a folder, making it if need be.

    Args:
        folder: where to; files of these names are replaced.
        model: the selector.
        dtype: storage type. float16 halves the file and costs about 3 significant digits.
    """
    text = json.dumps(dataclasses.asdict(model.config), indent=2, sort_keys=True)
    write_bytes(folder / CONFIG_FILE, text.encode() + b"\n")
    save_weights(folder, model.state_dict(), dtype)


def save_weights(
    folder: Path, state: Mapping[str, Tensor], dtype: torch.dtype = torch.float32
) -> None:
    """Writes tensors as `model.safetensors`: a selector's, or some of them to begin with.

    Args:
        folder: where to; made if missing.
        state: by the selector's names.
        dtype: storage type.
    """
    content = save({n: value.to("cpu", dtype).contiguous() for n, value in state.items()})
    write_bytes(folder / WEIGHTS_FILE, content)  # its own writer makes files for their owner only


def load_selector(source: Path) -> TrackSelector:
    """Reads a selector, in float32, on the CPU, in evaluation mode.

    Args:
        source: folder of `save_selector`, or a `.pt`/`.pth` file of the released code.

    Raises:
        WeightsError: missing files, or tensors that do not fit the configuration.
    """
    config, state = read_selector(source)
    return _built(config, state, f"{source}: {WEIGHTS_FILE} does not fit {CONFIG_FILE}")


def load_released(source: Mapping[str, Tensor] | str | Path) -> TrackSelector:
    """A selector from a checkpoint of the authors' released code, in evaluation mode.

    Sizes are read off the tensors; what leaves no trace there (groups, heads, dropout, the unit of
    time) takes the released values.

    Args:
        source: state dict of the released module, or a `.pt`/`.pth`/`.safetensors` file of it;
            prefixes such as "module." and wrappers such as {"model": ...} are recognised.

    Raises:
        WeightsError: missing file, or tensors that are not those of the released module.
    """
    state = renamed(read_state_dict(Path(source)) if isinstance(source, str | Path) else source)
    return _built(infer_config(state), state, "the tensors do not fit the released selector")


def read_selector(source: Path) -> tuple[SelectorConfig, dict[str, Tensor]]:
    """Configuration and tensors of a selector that is not built.

    Args:
        source: as `load_selector` takes it.

    Raises:
        WeightsError: missing files, or tensors that are not those of the released module.
    """
    if not source.is_file():
        return _read_config(source), read_state_dict(source)
    state = renamed(read_state_dict(source))
    return infer_config(state), state


def count_parameters(state: Mapping[str, Tensor]) -> int:
    """How many of a selector's numbers are trained: all but the drawn frequencies of time."""
    return sum(value.numel() for name, value in state.items() if name != "time_frequencies")


def load_initial(model: TrackSelector, source: str) -> None:
    """Gives a selector the weights of another one, or of a part of one, in place.

    Args:
        model: parts that the source lacks stay as they are.
        source: "demo" (the embedded motion encoder), a folder written by training or by a recipe,
            or a checkpoint of the released code.

    Raises:
        WeightsError: no weights there, or tensors that the selector has not, or of other shapes.
    """
    read = read_state_dict(_initial(source))
    state = {rename(name): value.float() for name, value in read.items()}
    if not state:
        raise WeightsError(
            f"init={source}: holds no tensors. Wanted a state dict, or one under model, state_dict "
            "or model_state_dict."
        )
    have = model.state_dict()
    wrong = [
        f"{name} {tuple(value.shape)} "
        f"({f'here {tuple(have[name].shape)}' if name in have else 'not here'})"
        for name, value in state.items()
        if name not in have or have[name].shape != value.shape
    ]
    if wrong:
        raise WeightsError(
            f"init={source}: {len(wrong)} of its {len(state)} tensors do not fit this network, "
            f"such as {wrong[0]}. Give weights of a network of the same shape, or change it with "
            "--set selector.KEY=VALUE."
        )
    model.load_state_dict({**have, **state})


def checkpoint_hash(source: Path) -> str:
    """SHA-256 (hex) of the weights file, for signatures."""
    return hashlib.sha256(_weights_file(source).read_bytes()).hexdigest()


def initial_hash(source: str) -> str:
    """SHA-256 (hex) of the weights that a training begins at; empty for random ones.

    Raises:
        WeightsError: no weights there.
    """
    return checkpoint_hash(_initial(source)) if source else ""


def write_training(
    folder: Path, identity: Mapping[str, Json], best: Mapping[str, float], finished: bool
) -> None:
    """Writes `training.json`: what the selector beside it was trained with.

    Args:
        folder: of the selector.
        identity: what decided its weights: configuration, data, number of processes.
        best: measures of the epoch that was kept.
        finished: whether training is done.
    """
    content = {"format": 1, "finished": finished, "identity": dict(identity), "best": dict(best)}
    write_json(folder / TRAINING_FILE, content, indent=2)


def read_training(source: Path) -> dict[str, Json] | None:
    """What `write_training` wrote; None for a selector without it, such as a released one.

    Raises:
        WeightsError: the file is broken.
    """
    path = source / TRAINING_FILE
    if not path.is_file():
        return None
    try:
        content: dict[str, Json] = json.loads(path.read_text(encoding="utf-8"))
        return {**content, "identity": dict(content["identity"])}
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: not written by `rvosbench sola train`: {error!r}") from error


def read_state_dict(source: Path) -> dict[str, Tensor]:
    """Tensors of a folder, or of a `.safetensors`, `.pt` or `.pth` file; no pickled code is run.

    Raises:
        WeightsError: missing file, a file of another kind, or one that holds no tensors.
    """
    path = _weights_file(source)
    if not path.is_file():
        raise WeightsError(
            f"{path}: no such file. Wanted a selector checkpoint (.safetensors, .pt or .pth). The "
            "authors of SOLA have not released one: train it with `rvosbench sola train`, or use "
            "--preset demo, which needs no download."
        )
    content = _read(path)
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(f"{path}: holds a {type(content).__name__}, wanted a state dict.")
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def rename(name: str) -> str:
    """Our name of a released tensor, with a `module.` of data parallelism taken off.

    >>> rename("module.short_motion_encoder.4.weight")
    'motion_encoder.convs.1.weight'
    """
    name = name.removeprefix("module.")
    for pattern, ours in RENAMES:
        name = re.sub(rf"(?:^|(?<=\.)){pattern}", ours, name, count=1)
    return name


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A released state dict under our names.

    Raises:
        WeightsError: if it holds none of the released module's tensors.
    """
    ours = {rename(name): tensor for name, tensor in state.items()}
    needed = ("motion_encoder.convs.0.weight", "negative_anchors", "layers.0.language.norm.weight")
    missing = [name for name in needed if name not in ours]
    if missing:
        raise WeightsError(
            f"not a checkpoint of the released selector: nothing in it is {missing[0]!r}; it holds "
            f"{len(state)} tensors such as {sorted(state)[:3]}. Wanted the state dict of "
            "LanguageAlignedTrackSelectionModule."
        )
    return ours


def infer_config(state: Mapping[str, Tensor]) -> SelectorConfig:
    """The configuration that tensors under our names were made with.

    Heads, groups, dropout and the unit of time leave no trace in shapes: released values.
    """
    first, anchors = state["motion_encoder.convs.0.weight"], state["negative_anchors"]
    layers = {name.split(".")[1] for name in state if name.startswith("layers.")}
    return SelectorConfig(
        object_token_dim=first.shape[1],
        lang_token_dim=anchors.shape[1],
        n_layers=len(layers),
        n_negative=anchors.shape[0],
        inter_object_attention="layers.0.objects.norm.weight" in state,
        motion_attention="layers.0.motion.norm.weight" in state,
    )


def _built(config: SelectorConfig, state: Mapping[str, Tensor], problem: str) -> TrackSelector:
    with torch.random.fork_rng(devices=[]):  # initial values are drawn, and then replaced
        model = TrackSelector(config)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(f"{problem}: {error}") from error
    return model.eval()


def _weights_file(source: Path) -> Path:
    return source / WEIGHTS_FILE if source.is_dir() else source


def _initial(source: str) -> Path:
    """Where `init` points to: as everywhere "demo" is embedded, a folder of that name is ./demo."""
    path = EMBEDDED if source == "demo" else Path(source).expanduser()
    if not _weights_file(path).is_file():
        raise WeightsError(
            f"init={path}: no weights to begin with ({WEIGHTS_FILE} is missing). Give a folder "
            'written by `rvosbench sola train`, a checkpoint of the released code, or "demo".'
        )
    return path


def _read(path: Path) -> Any:  # noqa: ANN401 a pickle may hold anything
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise WeightsError(f"{path}: not a safetensors file: {error}") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise WeightsError(
            f"{path}: cannot be read as a plain state dict (weights_only): {error}"
        ) from error


def _read_config(folder: Path) -> SelectorConfig:
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise WeightsError(
            f"{folder}: no selector here ({CONFIG_FILE} is missing). Wanted a folder written by "
            "`rvosbench sola train`, or a .pt/.pth checkpoint of the released code. Its authors "
            "have not released one: train it, or use --preset demo, which needs no download."
        )
    try:
        return configure(SelectorConfig(), json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, AttributeError, ConfigurationError) as error:
        raise WeightsError(f"{path}: not a selector configuration: {error}") from error
