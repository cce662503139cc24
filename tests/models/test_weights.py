"""Where weights come from and what their hash is: the same bytes whoever asks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from rvosbench.errors import ConfigurationError, WeightsError
from rvosbench.models.grounding_dino.detector import load_grounding_dino
from rvosbench.models.sam2.tracker import load_sam2
from rvosbench.models.text import load_text_encoder
from rvosbench.models.weights import (
    EMBEDDED,
    GROUNDER,
    TEXT_ENCODER,
    TRACKER,
    Family,
    ModelIdentity,
    find,
    identify,
    locate,
    weights_hash,
)

# As version 1c25e4b wrote them into track caches and results.
HASHES = {
    TRACKER: "8237ae04ea70cced3b993dbb0673edaea100a52f4f25b7d10a361ff8ecd76aeb",
    GROUNDER: "eee6006d1126a9b1a7c8beba948bbca824dc5fc431f871dc85d7e342d2b476ea",
    TEXT_ENCODER: "98c0054e040a1a47947e1956def15f7a14510c9c5d3cb3e5ebd45ef40dadf54d",
}


@pytest.mark.parametrize(
    ("family", "sha256"), HASHES.items(), ids=lambda v: getattr(v, "embedded", "")
)
def test_hashes_of_the_embedded_weights_stay(family: Family, sha256: str) -> None:
    assert identify("demo", family) == ModelIdentity("demo", sha256)


def test_opened_models_have_the_hash_that_is_known_without_opening_them() -> None:
    assert load_sam2(EMBEDDED / "sam2").checkpoint_hash == HASHES[TRACKER]
    assert load_grounding_dino(EMBEDDED / "grounder").checkpoint_hash == HASHES[GROUNDER]
    assert load_text_encoder(EMBEDDED / "text", "cpu").checkpoint_hash == HASHES[TEXT_ENCODER]


def test_several_files_are_hashed_with_their_names_in_the_order_of_the_family(
    tmp_path: Path,
) -> None:
    (tmp_path / "vocab.txt").write_bytes(b"tokens")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "other.txt").write_bytes(b"other")
    wanted = hashlib.sha256(b"model.safetensorsweightsvocab.txttokens").hexdigest()
    assert weights_hash(tmp_path, GROUNDER) == wanted
    assert weights_hash(tmp_path, TRACKER) == hashlib.sha256(b"weights").hexdigest()
    plain = hashlib.sha256(b"tokens").hexdigest()
    assert weights_hash(tmp_path / "vocab.txt", GROUNDER) == plain


def test_a_model_is_known_by_its_bytes_and_else_by_its_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"weights")
    a, b = (identify(str(tmp_path / name), TRACKER) for name in ("a", "b"))
    assert (a.name, b.name) == ("a", "b")
    assert not a.is_other(b)
    (tmp_path / "b" / "model.safetensors").write_bytes(b"others")
    assert a.is_other(identify(str(tmp_path / "b"), TRACKER))
    hub = ModelIdentity("facebook/sam2-hiera-large", None)
    assert hub.is_other(a)
    assert not hub.is_other(ModelIdentity("facebook/sam2-hiera-large", "0" * 64))


def test_what_is_not_there_has_no_hash(tmp_path: Path) -> None:
    for family in HASHES:
        assert identify(str(tmp_path), family) == ModelIdentity(tmp_path.name, None)
        assert identify("nobody/has-this", family) == ModelIdentity("nobody/has-this", None)
        assert identify("no hub id at all!", family).sha256 is None


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def weights_folder(place: Path) -> Path:
    place.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    (place / "model.safetensors").write_bytes(b"weights")
    return place


@pytest.mark.parametrize("family", HASHES, ids=lambda f: f.embedded)
class TestLocate:
    """The same rule for all models."""

    def test_demo_is_what_is_embedded_whatever_lies_here(
        self, family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        weights_folder(tmp_path / "demo")
        monkeypatch.chdir(tmp_path)
        assert locate("demo", family) == EMBEDDED / family.embedded
        assert locate("./demo", family) == Path("demo")

    def test_what_lies_here_wins_over_the_hub(
        self, family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        weights_folder(tmp_path / "owner" / "name")
        monkeypatch.chdir(tmp_path)
        assert locate("owner/name", family) == Path("owner/name")

    @pytest.mark.usefixtures("offline")
    @pytest.mark.parametrize("source", ["owner/name", "bare-name"])
    def test_a_name_that_could_be_on_the_hub_is_looked_up_there(
        self, family: Family, source: str
    ) -> None:
        with pytest.raises(WeightsError, match=f"{family.title} '{source}': neither a local path"):
            locate(source, family)

    @pytest.mark.parametrize("source", ["./none", "~/none", "/none", "a/b/c", "none.pth"])
    def test_a_path_is_never_looked_up(self, family: Family, source: str) -> None:
        with pytest.raises(WeightsError, match=f"no {family.title} at .*Give one of: a hub id"):
            locate(source, family)
        with pytest.raises(WeightsError, match=f"no {family.title} at owner/name"):
            locate(Path("owner/name"), family)

    def test_a_folder_has_a_configuration_and_weights(self, family: Family, tmp_path: Path) -> None:
        for name in ("config.json", "model.safetensors"):
            folder = weights_folder(tmp_path / name)
            (folder / name).unlink()
            with pytest.raises(WeightsError, match=f"no {name} in this folder. Give one of"):
                locate(folder, family)

    def test_a_file_is_a_checkpoint_of_the_authors_where_there_are_such(
        self, family: Family, tmp_path: Path
    ) -> None:
        (tmp_path / "weights").write_bytes(b"weights")
        if family.original:
            assert locate(tmp_path / "weights", family) == tmp_path / "weights"
            return
        with pytest.raises(WeightsError, match="no text encoder at"):
            locate(str(tmp_path / "weights"), family)


@pytest.mark.parametrize("family", HASHES, ids=lambda f: f.embedded)
def test_what_is_here_is_found_and_nothing_is_fetched(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.file_download

    cached = weights_folder(tmp_path / "models--owner--name" / "snapshots" / "0")
    (tmp_path / "models--owner--name" / "refs").mkdir()
    (tmp_path / "models--owner--name" / "refs" / "main").write_text("0")
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path), raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert find("demo", family) == EMBEDDED / family.embedded
    assert find("owner/name", family) == cached
    assert identify("owner/name", family).sha256 == weights_hash(cached, family)
    assert find("owner/other", family) is None
    assert find(str(tmp_path), family) is None


def test_only_the_files_of_a_family_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    asked = []

    def snapshot(hub_id: str, allow_patterns: list[str]) -> str:
        asked.append((hub_id, allow_patterns))
        return str(folder)

    folder = weights_folder(tmp_path / "snapshot")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert locate("a/tracker", TRACKER) == locate("a/reader", TEXT_ENCODER) == folder
    assert asked == [
        ("a/tracker", ["config.json", "model.safetensors"]),
        ("a/reader", ["*.json", "*.txt", "model.safetensors"]),
    ]


@pytest.mark.parametrize("load", [load_sam2, load_grounding_dino, load_text_encoder])
def test_every_loader_knows_demo_and_the_precisions(load: Callable[..., object]) -> None:
    assert load("demo", "cpu")
    with pytest.raises(ConfigurationError, match="dtype 'float8': known are auto, float32"):
        load("demo", "cpu", "float8")
