"""Reading SAM2 weights: folders, half precision, original checkpoints, and clear refusals."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recipes.export import write_network
from recipes.tracker.network import tiny_config
from rvosbench.errors import ConfigurationError, WeightsError
from rvosbench.models.sam2.checkpoint import (
    SIZES,
    Hiera,
    build_sam2,
    convert_weights,
    original_config,
)
from rvosbench.models.sam2.tracker import load_sam2

# Our name to the original one: written down a second time, and backwards, to test the first.
ORIGINAL_NAMES = (
    (r"^vision_encoder\.backbone\.", "image_encoder.trunk."),
    (r"^vision_encoder\.neck\.convs\.(\d+)\.", r"image_encoder.neck.convs.\1.conv."),
    (r"patch_embed\.projection", "patch_embed.proj"),
    (r"^prompt_encoder\.shared_embedding\.positional_embedding$",
     "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"),
    (r"^prompt_encoder\.mask_embed\.conv1", "sam_prompt_encoder.mask_downscaling.0"),
    (r"^prompt_encoder\.mask_embed\.layer_norm1", "sam_prompt_encoder.mask_downscaling.1"),
    (r"^prompt_encoder\.mask_embed\.conv2", "sam_prompt_encoder.mask_downscaling.3"),
    (r"^prompt_encoder\.mask_embed\.layer_norm2", "sam_prompt_encoder.mask_downscaling.4"),
    (r"^prompt_encoder\.mask_embed\.conv3", "sam_prompt_encoder.mask_downscaling.6"),
    (r"^prompt_encoder\.", "sam_prompt_encoder."),
    (r"^mask_decoder\.", "sam_mask_decoder."),
    (r"\.upscale_conv1\.", ".output_upscaling.0."),
    (r"\.upscale_layer_norm\.", ".output_upscaling.1."),
    (r"\.upscale_conv2\.", ".output_upscaling.3."),
    (r"\.layers\.0\.(weight|bias)$", r".layers.1.\1"),
    (r"\.mlp\.proj_in\.", ".mlp.layers.0."),
    (r"\.mlp\.proj_out\.", ".mlp.layers.1."),
    (r"\.proj_in\.", ".layers.0."),
    (r"\.proj_out\.", ".layers.2."),
    (r"^object_pointer_proj", "obj_ptr_proj"),
    (r"mask_downsampler\.final_conv", "mask_downsampler.encoder.12"),
    (r"^memory_encoder\.feature_projection", "memory_encoder.pix_feat_proj"),
    (r"^memory_encoder\.projection", "memory_encoder.out_proj"),
    (r"memory_fuser\.layers\.(\d)\.scale", r"fuser.layers.\1.gamma"),
    (r"memory_fuser\.layers\.(\d)\.layer_norm", r"fuser.layers.\1.norm"),
    (r"memory_fuser\.layers\.(\d)\.depthwise_conv", r"fuser.layers.\1.dwconv"),
    (r"memory_fuser\.layers\.(\d)\.pointwise_conv", r"fuser.layers.\1.pwconv"),
    (r"layer_norm_final_attn", "norm_final_attn"),
    (r"\.layer_norm([1-4])\.", r".norm\1."),
    (r"^memory_attention\.layer_norm\.", "memory_attention.norm."),
    (r"\.o_proj\.", ".out_proj."),
    (r"^memory_temporal_positional_encoding$", "maskmem_tpos_enc"),
    (r"^no_memory_embedding$", "no_mem_embed"),
    (r"^no_memory_positional_encoding$", "no_mem_pos_enc"),
    (r"^no_object_pointer$", "no_obj_ptr"),
    (r"^occlusion_spatial_embedding_parameter$", "no_obj_embed_spatial"),
    (r"^temporal_positional_encoding_projection_layer", "obj_ptr_tpos_proj"),
)  # fmt: skip


def original_name(name: str) -> str:
    layer = re.match(r"(memory_encoder\.mask_downsampler)\.layers\.(\d)\.(conv|layer_norm)", name)
    if layer:
        index = 3 * int(layer[2]) + (layer[3] == "layer_norm")
        return f"{layer[1]}.encoder.{index}.{name.rsplit('.', 1)[1]}"
    for pattern, replacement in ORIGINAL_NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def original_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    named = {}
    for name, value in weights.items():
        if name == "prompt_encoder.point_embed.weight":
            for row in range(4):
                key = f"sam_prompt_encoder.point_embeddings.{row}.weight"
                named[key] = value[row : row + 1]
        elif name != "shared_image_embedding.positional_embedding":
            named[original_name(name)] = value
    return named


def random_weights(size: Hiera, version: str, device: str) -> dict[str, Tensor]:
    """Random weights of an original size under their original names."""
    stem: dict[str, Tensor] = {
        "image_encoder.trunk.patch_embed.proj.weight": torch.zeros(size.width, 3, 7, 7)
    }
    stem |= {f"image_encoder.trunk.blocks.{i}.x": torch.zeros(1) for i in range(sum(size.blocks))}
    if version == "2.1":
        stem |= {k: torch.zeros(1) for k in ("obj_ptr_tpos_proj.weight", "no_obj_embed_spatial")}
    with torch.device(device):
        weights = build_sam2(original_config(stem)).state_dict()
    shared = "prompt_encoder.shared_embedding.positional_embedding"
    weights["shared_image_embedding.positional_embedding"] = weights[shared]
    return original_weights(weights)


def test_folder_round_trip_in_half_precision(tmp_path: Path) -> None:
    model = build_sam2(tiny_config(64))
    write_network(tmp_path, model)
    loaded = load_sam2(tmp_path)
    assert loaded.image_size == 64
    content = (tmp_path / "model.safetensors").read_bytes()
    assert loaded.checkpoint_hash == hashlib.sha256(content).hexdigest()
    for name, value in loaded.model.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, model.state_dict()[name].half().float()), name
    assert not any(p.requires_grad for p in loaded.model.parameters())
    assert loaded.model.config.multimask_output_for_tracking is False


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_original_sizes_are_recognised_from_their_tensors(size: Hiera, version: str) -> None:
    original = random_weights(size, version, "meta")
    config = original_config(original)
    assert config.vision_config.backbone_config.blocks_per_stage == list(size.blocks)
    assert config.enable_temporal_pos_encoding_for_object_pointers == (version == "2.1")
    assert config.enable_occlusion_spatial_embedding == (version == "2.1")
    with torch.device("meta"):
        wanted = build_sam2(config).state_dict()
    converted = convert_weights(original)
    assert {k: v.shape for k, v in converted.items()} == {k: v.shape for k, v in wanted.items()}


@pytest.mark.slow
def test_an_original_checkpoint_loads(tmp_path: Path) -> None:
    original = random_weights(SIZES[0], "2.0", "cpu")
    torch.save({"model": original}, tmp_path / "anything.pt")
    loaded = load_sam2(tmp_path / "anything.pt")
    assert (loaded.image_size, loaded.token_dim) == (1024, 256)
    state = loaded.model.state_dict()
    torch.testing.assert_close(state["no_object_pointer"], original["no_obj_ptr"])
    points = state["prompt_encoder.point_embed.weight"]
    torch.testing.assert_close(
        points[2:3], original["sam_prompt_encoder.point_embeddings.2.weight"]
    )


def test_missing_weights_say_what_to_get_and_that_the_demo_needs_none(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"sam2_hiera_large\.pt.*--preset demo"):
        load_sam2(tmp_path / "nowhere.pt")


def test_an_unreachable_hub_is_a_weights_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def refuse(*_: object, **__: object) -> str:
        raise OSError("no network here\nsecond line")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(WeightsError, match=r"facebook/sam2-hiera-large.*no network here.*demo"):
        load_sam2("facebook/sam2-hiera-large")


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no config\.json"):
        load_sam2(tmp_path)


def test_an_image_only_export_is_refused(tmp_path: Path) -> None:
    write_network(tmp_path, build_sam2(tiny_config(64)))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "sam2"}))
    with pytest.raises(WeightsError, match="wanted 'sam2_video'"):
        load_sam2(tmp_path)


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    write_network(tmp_path, build_sam2(tiny_config(64)))
    content = json.loads((tmp_path / "config.json").read_text())
    content["num_maskmem"] = 5
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(WeightsError, match="1 of another shape"):
        load_sam2(tmp_path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    write_network(tmp_path, build_sam2(tiny_config(64)))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="not a readable safetensors"):
        load_sam2(tmp_path)


@pytest.mark.parametrize("content", [b"not a checkpoint", b""])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(WeightsError, match="original SAM2 checkpoint"):
        load_sam2(tmp_path / "x.pt")


def test_another_model_is_refused(tmp_path: Path) -> None:
    torch.save({"model": {"layer.weight": torch.zeros(2)}}, tmp_path / "x.pt")
    with pytest.raises(WeightsError, match="known are tiny"):
        load_sam2(tmp_path / "x.pt")


def test_an_unknown_dtype_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="float8"):
        load_sam2(tmp_path, dtype="float8")
