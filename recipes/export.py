"""What a training leaves for others: weights in float16 and a configuration, for transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from rvosbench.files.atomic import write_bytes


def write_network(folder: Path, model: Any, state: Mapping[str, Tensor] | None = None) -> None:  # noqa: ANN401 - transformers' type
    """Writes `config.json` and `model.safetensors` (float16).

    Args:
        folder: where to; made if missing.
        model: a network of transformers.
        state: its tensors by the names to write; None writes all of `state_dict()`.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    state = model.state_dict() if state is None else state
    weights = {name: value.half().contiguous() for name, value in state.items()}
    # the library's own `save_file` makes files that only their owner can read
    write_bytes(folder / "model.safetensors", save(weights, metadata={"format": "pt"}))
    config = model.config.to_dict() | {"architectures": [type(model).__name__]}
    text = json.dumps(config, indent=1, sort_keys=True, default=str)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")
