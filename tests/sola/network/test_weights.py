"""Selectors on disk: our folder, released checkpoints, and what is neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from rvosbench.config import configure
from rvosbench.errors import WeightsError
from sola.config import PAPER_SELECTOR, SelectorConfig
from sola.model import load_released
from sola.network.weights import (
    RENAMES,
    checkpoint_hash,
    infer_config,
    load_selector,
    save_selector,
)

from ..cases import SMALL, make_case, make_selector
from .test_selector import GOLDEN, needs_golden


def test_a_folder_gives_the_same_selector(tmp_path: Path) -> None:
    model, case = make_selector(), make_case((4, 12, 5), 1)
    save_selector(tmp_path, model)
    read = load_selector(tmp_path)
    assert read.config == model.config
    assert not read.training
    assert torch.equal(read(case.objects, case.text).logits, model(case.objects, case.text).logits)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    assert len({p.stat().st_mode for p in tmp_path.iterdir()}) == 1  # readable by the same people


def test_half_precision_halves_the_file_and_nearly_keeps_the_scores(tmp_path: Path) -> None:
    model, case = make_selector(), make_case((4, 12, 5), 1)
    full, half = tmp_path / "full", tmp_path / "half"
    save_selector(full, model)
    save_selector(half, model, torch.float16)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (full, half)]
    assert sizes[1] < 0.6 * sizes[0]
    read = load_selector(half)
    assert {p.dtype for p in read.parameters()} == {torch.float32}
    scores = [m(case.objects, case.text).logits.sigmoid() for m in (model, read)]
    assert 0 < (scores[0] - scores[1]).abs().max() < 0.02


def test_the_hash_is_of_the_weights(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        save_selector(tmp_path / name, make_selector(seed=seed))
    hashes = [checkpoint_hash(tmp_path / name) for name in "abc"]
    assert hashes[0] == hashes[1] != hashes[2]
    assert checkpoint_hash(tmp_path / "a" / "model.safetensors") == hashes[0]


@needs_golden
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
@pytest.mark.parametrize("wrapping", ["plain", "model", "parallel"])
def test_released_files_are_read(tmp_path: Path, suffix: str, wrapping: str) -> None:
    from safetensors.torch import save_file

    state = load_file(GOLDEN / "weights.safetensors")
    if wrapping == "parallel":
        state = {f"module.{name}": value for name, value in state.items()}
    path = tmp_path / f"epoch_15{suffix}"
    if suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({"model": state} if wrapping == "model" else state, path)
    model, golden = load_selector(path), load_released(GOLDEN / "weights.safetensors")
    assert model.config == golden.config
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), golden.parameters(), strict=True)
    )


@needs_golden
def test_sizes_are_read_off_the_released_tensors() -> None:
    wanted = json.loads((GOLDEN / "config.json").read_text())
    config = load_released(GOLDEN / "weights.safetensors").config
    for ours in ("object_token_dim", "lang_token_dim", "n_layers", "n_negative"):
        assert getattr(config, ours) == wanted[ours]
    assert (config.n_groups, config.n_heads) == (wanted["n_groups"], wanted["heads"])


def test_ablated_sizes_are_read_off_too() -> None:
    import dataclasses

    for switch, ablated in (
        ("inter_object_attention", dataclasses.replace(SMALL, inter_object_attention=False)),
        ("motion_attention", dataclasses.replace(SMALL, motion_attention=False)),
    ):
        assert not getattr(infer_config(make_selector(ablated).state_dict()), switch)


def test_a_missing_selector_says_what_to_do(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(WeightsError, match=r"config\.json is missing.*--preset demo"):
            load_selector(source)
    save_selector(tmp_path, make_selector())
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model\.safetensors: no such file.*--preset demo"):
        load_selector(tmp_path)


def test_other_checkpoints_are_refused(tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="not a checkpoint of the released selector"):
        load_selector(tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(WeightsError, match="holds a list, wanted a state dict"):
        load_selector(tmp_path / "list.pt")
    for name in ("noise.pt", "noise.safetensors"):
        (tmp_path / name).write_bytes(b"not a checkpoint at all")
        with pytest.raises(WeightsError, match=name):
            load_selector(tmp_path / name)


class Code:
    """An object whose pickle names code."""


def test_code_in_a_pickle_is_never_run(tmp_path: Path) -> None:
    torch.save({"model": Code()}, tmp_path / "code.pt")
    with pytest.raises(WeightsError, match="weights_only"):
        load_selector(tmp_path / "code.pt")


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    save_selector(tmp_path, make_selector())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "n_negative": 7}))
    with pytest.raises(WeightsError, match=r"does not fit config\.json"):
        load_selector(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**config, "n_negatives": 7}))
    with pytest.raises(WeightsError, match="did you mean 'n_negative'"):
        load_selector(tmp_path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"variant": "papers"}, "variant is 'papers'"),
        ({"n_layers": 0}, "n_layers is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"n_heads": 5}, "does not split into 5 heads"),
        ({"n_groups": 3}, "does not split into 3 groups"),
    ],
)
def test_impossible_configurations_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SelectorConfig(**values)  # type: ignore[arg-type]


def test_a_configuration_survives_json() -> None:
    import dataclasses

    text = json.dumps(dataclasses.asdict(PAPER_SELECTOR))
    assert configure(SelectorConfig(), json.loads(text)) == PAPER_SELECTOR


def test_no_two_released_names_become_one() -> None:
    assert len({pattern for pattern, _ in RENAMES}) == len(RENAMES)
