"""Original GroundingDINO checkpoints: every name and shape, loading, vocabulary and refusals."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from rvosbench.errors import WeightsError
from rvosbench.models.grounding_dino.checkpoint import read_grounder
from rvosbench.models.grounding_dino.detector import load_grounding_dino
from rvosbench.models.grounding_dino.original_checkpoint import (
    convert_weights,
    find_converted,
    needed,
    original_config,
)
from rvosbench.models.weights import GROUNDER, identify

from .groundings import (
    WORDS,
    enliven,
    original_shapes,
    small_config,
    small_swin,
    write_vocabulary,
)

SIZES = ["groundingdino_swint_ogc", "groundingdino_swinb"]

# The hub's name to the original one: written down a second time, backwards, to test the first.
SWIN = r"^model\.backbone\.conv_encoder\.model\."
ORIGINAL_NAMES = (
    (SWIN + r"embeddings\.patch_embeddings\.projection", "backbone.0.patch_embed.proj"),
    (SWIN + r"embeddings\.norm", "backbone.0.patch_embed.norm"),
    (SWIN + r"hidden_states_norms\.stage2", "backbone.0.norm1"),
    (SWIN + r"hidden_states_norms\.stage3", "backbone.0.norm2"),
    (SWIN + r"hidden_states_norms\.stage4", "backbone.0.norm3"),
    (SWIN + r"encoder\.", "backbone.0."),
    (r"(blocks\.\d+)\.layernorm_before", r"\1.norm1"),
    (r"(blocks\.\d+)\.layernorm_after", r"\1.norm2"),
    (r"(blocks\.\d+)\.attention\.output\.dense", r"\1.attn.proj"),
    (r"(blocks\.\d+)\.attention\.self", r"\1.attn"),
    (r"(blocks\.\d+)\.intermediate\.dense", r"\1.mlp.fc1"),
    (r"(blocks\.\d+)\.output\.dense", r"\1.mlp.fc2"),
    (r"^model\.text_backbone", "bert"),
    (r"^model\.text_projection", "feat_map"),
    (r"^model\.input_proj_vision", "input_proj"),
    (r"^model\.query_position_embeddings", "transformer.tgt_embed"),
    (r"^model\.encoder_output_bbox_embed", "transformer.enc_out_bbox_embed"),
    (r"^model\.decoder\.reference_points_head", "transformer.decoder.ref_point_head"),
    (r"^model\.decoder\.layer_norm\.", "transformer.decoder.norm."),
    (r"deformable_layer\.self_attn_layer_norm", "deformable_layer.norm1"),
    (r"deformable_layer\.final_layer_norm", "deformable_layer.norm2"),
    (r"text_enhancer_layer\.layer_norm_before", "text_enhancer_layer.norm1"),
    (r"text_enhancer_layer\.layer_norm_after", "text_enhancer_layer.norm2"),
    (r"vision_param", "gamma_v"),
    (r"text_param", "gamma_l"),
    (r"layer_norm_vision", "layer_norm_v"),
    (r"layer_norm_text", "layer_norm_l"),
    (r"vision_proj", "v_proj"),
    (r"text_proj\.", "l_proj."),
    (r"^model\.encoder\.layers\.(\d+)\.deformable_layer", r"transformer.encoder.layers.\1"),
    (r"^model\.encoder\.layers\.(\d+)\.text_enhancer_layer", r"transformer.encoder.text_layers.\1"),
    (r"^model\.encoder\.layers\.(\d+)\.fusion_layer", r"transformer.encoder.fusion_layers.\1"),
    (r"(decoder\.layers\.\d+)\.encoder_attn\.", r"\1.cross_attn."),
    (r"(decoder\.layers\.\d+)\.encoder_attn_layer_norm", r"\1.norm1"),
    (r"(decoder\.layers\.\d+)\.encoder_attn_text\.", r"\1.ca_text."),
    (r"(decoder\.layers\.\d+)\.encoder_attn_text_layer_norm", r"\1.catext_norm"),
    (r"(decoder\.layers\.\d+)\.self_attn_layer_norm", r"\1.norm2"),
    (r"(decoder\.layers\.\d+)\.final_layer_norm", r"\1.norm3"),
    (r"(transformer\..*|decoder\.layers\.\d+)\.fc([12])\.", r"\1.linear\2."),
    (r"^model\.", "transformer."),
)  # fmt: skip
PART = re.compile(r"^(?!bert)(.*\.)(query|key|value)\.(weight|bias)$")


def original_weights(hub: dict[str, Tensor], decoder_layers: int) -> dict[str, Tensor]:
    """Tensors with hub names under their original ones, as an original file has them."""
    named: dict[str, Tensor] = {}
    for name, value in hub.items():
        for pattern, replacement in ORIGINAL_NAMES:
            name = re.sub(pattern, replacement, name)
        if match := PART.match(name):
            fused = f"{match[1]}qkv." if ".attn." in name else f"{match[1]}in_proj_"
            key = f"{fused}{match[3]}"
            named[key] = torch.cat([named[key], value]) if key in named else value
        elif "swin.layernorm" not in name:
            named[name] = value
    heads = {k: v for k, v in named.items() if k.startswith("bbox_embed.0.")}
    for layer in range(decoder_layers):
        for name, value in heads.items():
            tail = name.removeprefix("bbox_embed.0.")
            named[f"bbox_embed.{layer}.{tail}"] = value
            named[f"transformer.decoder.bbox_embed.{layer}.{tail}"] = value
    return {"module." + name: value for name, value in named.items()}


def in_order(hub: dict[str, Tensor]) -> dict[str, Tensor]:
    """Queries before keys before values, in which they are fused."""
    place = {"query": 0, "key": 1, "value": 2}
    return dict(sorted(hub.items(), key=lambda item: place.get(item[0].split(".")[-2], 3)))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random network as `save_pretrained` writes it, and `net.pth` of the same weights."""
    from safetensors.torch import load_file
    from transformers import BertTokenizer, GroundingDinoForObjectDetection

    folder = tmp_path_factory.mktemp("saved")
    model = GroundingDinoForObjectDetection(small_config(backbone_config=small_swin()))
    enliven(model.named_parameters())
    model.save_pretrained(folder)
    write_vocabulary(folder)
    BertTokenizer.from_pretrained(folder).save_pretrained(folder)
    hub = in_order(load_file(folder / "model.safetensors"))
    unused = {
        "module.label_enc.weight": torch.zeros(3, 4),
        "module.bert.embeddings.position_ids": torch.arange(512)[None],
        "module.bert.pooler.dense.weight": torch.zeros(2, 2),
        "module.backbone.0.layers.0.blocks.0.attn.relative_position_index": torch.zeros(2).long(),
    }
    torch.save({"model": original_weights(hub, 2) | unused}, folder / "net.pth")
    return folder


@pytest.mark.parametrize("name", SIZES)
def test_every_original_tensor_has_its_place(name: str, tmp_path: Path) -> None:
    """Names of the authors' own network; shapes of transformers' network of that configuration."""
    from transformers import GroundingDinoForObjectDetection

    shapes = original_shapes(name)
    original = needed({k: torch.empty(s, device="meta") for k, s in shapes.items()})
    left_out = shapes.keys() - original.keys()
    assert {k.rpartition(".")[2] for k in left_out} == {"relative_position_index", "weight", "bias"}
    assert {k for k in left_out if k.endswith(("weight", "bias"))} == {
        "bert.pooler.dense.weight",
        "bert.pooler.dense.bias",
    }
    converted = convert_weights(original)
    with torch.device("meta"):
        model = GroundingDinoForObjectDetection(original_config(original))
    wanted = model.state_dict()
    sizes = sorted(tuple(v.shape) for v in converted.values())
    assert sizes == sorted(tuple(v.shape) for k, v in wanted.items() if "swin.layernorm" not in k)
    names = {k for k in wanted if ".backbone." not in k}
    assert {k for k in converted if ".backbone." not in k} == names
    for key in names:
        assert converted[key].shape == wanted[key].shape, key
    for key, value in original.items():  # and back again
        assert find_converted(converted, key).shape == value.shape, key


def test_original_configurations_are_recognised() -> None:
    from transformers import GroundingDinoConfig

    configs = []
    for name in SIZES:
        shapes = original_shapes(name)
        original = {k: torch.empty(s, device="meta") for k, s in shapes.items()}
        configs.append(original_config(needed(original)))
    tiny, base = (config.backbone_config for config in configs)
    assert (tiny.embed_dim, list(tiny.depths), list(tiny.num_heads), tiny.window_size) == (
        96, [2, 2, 6, 2], [3, 6, 12, 24], 7,
    )  # fmt: skip
    assert (base.embed_dim, list(base.depths), list(base.num_heads), base.window_size) == (
        128, [2, 2, 18, 2], [4, 8, 16, 32], 12,
    )  # fmt: skip
    default = GroundingDinoConfig().to_dict()  # those of the hub's grounding-dino-tiny
    found = configs[0].to_dict()
    assert {k for k in default if found[k] != default[k]} <= {"backbone_config", "text_config"}
    bert, usual = found["text_config"], default["text_config"]
    assert {k for k in usual if bert[k] != usual[k]} == set()


def test_an_original_file_gives_the_boxes_of_its_folder(saved: Path) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    ask = {"box_threshold": 0.0, "text_threshold": 0.5}
    ours, theirs = (load_grounding_dino(saved / "net.pth"), load_grounding_dino(saved))
    assert ours.frame_size == theirs.frame_size
    small = [replace(g, frame_size=type(g.frame_size)(64, 96)) for g in (ours, theirs)]
    (found,) = small[0].detect(frame, ["the red circle"], **ask)
    (wanted,) = small[1].detect(frame, ["the red circle"], **ask)
    np.testing.assert_array_equal(found.boxes, wanted.boxes)
    np.testing.assert_array_equal(found.scores, wanted.scores)
    assert found.phrases == wanted.phrases
    assert found.boxes.std(axis=0).min() > 0.1
    assert identify(str(saved / "net.pth"), GROUNDER).sha256 == (ours.checkpoint_hash)


def test_every_tensor_is_wanted_and_known(saved: Path, tmp_path: Path) -> None:
    write_vocabulary(tmp_path)
    content = torch.load(saved / "net.pth", weights_only=True)["model"]
    gone = "module.transformer.decoder.layers.1.catext_norm.bias"
    torch.save({k: v for k, v in content.items() if k != gone}, tmp_path / "less.pth")
    with pytest.raises(WeightsError, match=r"1 tensors are missing.*encoder_attn_text_layer_norm"):
        load_grounding_dino(tmp_path / "less.pth")
    torch.save(content | {"module.transformer.novelty.weight": torch.zeros(1)}, tmp_path / "m.pth")
    with pytest.raises(WeightsError, match=r"1 tensors are unexpected.*novelty"):
        load_grounding_dino(tmp_path / "m.pth")
    other = "module.transformer.encoder.layers.0.self_attn.sampling_offsets.weight"
    torch.save(content | {other: torch.zeros(128, 256)}, tmp_path / "points.pth")
    with pytest.raises(WeightsError, match=r"128 rows, wanted 256 \(8 heads, 4 levels, 4 points\)"):
        load_grounding_dino(tmp_path / "points.pth")


@pytest.mark.parametrize("content", [{"model": {}}, {"a": torch.zeros(2)}, [1, 2], {"model": 3}])
def test_other_checkpoints_are_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="not an original GroundingDINO checkpoint"):
        load_grounding_dino(tmp_path / "x.pth")


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    torch.save({"model": Path("x")}, tmp_path / "x.pth")  # a class, which unpickling would call
    with pytest.raises(WeightsError, match=r"cannot be read as an original.*UnpicklingError"):
        load_grounding_dino(tmp_path / "x.pth")


def test_the_vocabulary_may_lie_in_a_folder_of_its_own(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "net.pth").symlink_to(saved / "net.pth")
    below = tmp_path / "bert-base-uncased"
    below.mkdir()
    write_vocabulary(below)
    files = read_grounder(tmp_path / "net.pth")
    assert files.tokenizer(["The red circle."])["input_ids"] == [[101, 104, 105, 106, 1012, 102]]
    assert len(files.tokenizer) == WORDS


def test_a_missing_vocabulary_is_asked_for(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    (tmp_path / "net.pth").symlink_to(saved / "net.pth")
    with pytest.raises(WeightsError, match=r"no vocabulary.*Put vocab\.txt of google-bert"):
        load_grounding_dino(tmp_path / "net.pth")


def test_another_vocabulary_is_refused(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "net.pth").symlink_to(saved / "net.pth")
    write_vocabulary(tmp_path)
    words = (tmp_path / "vocab.txt").read_text().splitlines()
    for changed in (words[:-1], [*words[:1012], "dot", *words[1013:]]):
        (tmp_path / "vocab.txt").write_text("\n".join(changed) + "\n")
        with pytest.raises(WeightsError, match=r"not the vocabulary of this checkpoint"):
            load_grounding_dino(tmp_path / "net.pth")
