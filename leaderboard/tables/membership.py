"""Which of the paper's tables a run belongs in, and why not in the others."""

from __future__ import annotations

from leaderboard.numbers.ablation import ABLATION_DEFAULTS, ablation
from leaderboard.numbers.entry import Entry
from leaderboard.tables.paper import Block, TableSpec
from rvosbench.tables.published import UNKNOWN
from rvosbench.tables.training import training_sets


def why_not_in(spec: TableSpec, entry: Entry) -> str | None:
    """Why a run does not belong in a table; None if it does."""
    checks = (_measured, _dataset, _frames, _training, _configuration)
    return next((reason for check in checks if (reason := check(spec, entry))), None)


def block_of(spec: TableSpec, entry: Entry) -> Block:
    """The score columns of an entry: the table's own, or new ones with a label of their own.

    Only an equal dataset, split and protocol share columns; "unknown" equals nothing measured.
    """
    setting = entry.setting
    same = next(b for b in spec.blocks if b.dataset == setting.dataset)
    nameless = entry.run is not None and setting.protocol == UNKNOWN
    equal = setting.protocol == same.protocol and not nameless
    if equal and setting.split == same.split:
        return same
    split = "" if setting.split == same.split else f" {setting.split}"
    named = "not recorded" if nameless else setting.protocol
    title = f"{same.title}{split}{'' if equal else f' (protocol {named})'}"
    return Block(title, title, setting.dataset, setting.split, named)


def _measured(spec: TableSpec, entry: Entry) -> str | None:
    if entry.run is None:
        return None
    if entry.scores.jf is None:
        return "it has no scores (a split without ground truth)"
    videos = entry.run.result.facts.get("videos")
    return f"it is of a part of the split only ({len(videos)} videos)" if videos else None


def _dataset(spec: TableSpec, entry: Entry) -> str | None:
    names = sorted({b.dataset for b in spec.blocks})
    if entry.setting.dataset in names:
        return None
    return f"it is on {entry.setting.dataset}, the table on {' and '.join(names)}"


def _frames(spec: TableSpec, entry: Entry) -> str | None:
    if spec.corrupted and entry.setting.corruption is None:
        return "its frames are clean, the table's corrupted"
    if not spec.corrupted and entry.setting.corruption is not None:
        return f"its frames are corrupted ({entry.setting.corruption}), the table's clean"
    return None


def _training(spec: TableSpec, entry: Entry) -> str | None:
    settings = ablation(entry)
    if settings is not None and not settings["selection_module"]:
        return None  # nothing is trained
    trained = training_sets(entry.about.training_data)
    if spec.training.needs <= trained and not spec.training.without & trained:
        return None
    return (
        f"its training data is {entry.about.training_data or 'not said'!r}, "
        f"the table's {spec.training.text}"
    )


def _configuration(spec: TableSpec, entry: Entry) -> str | None:
    settings = ablation(entry)
    if settings is None:
        return None if spec.any_method else "the table is an ablation of SOLA, and it is not SOLA"
    odd = {k: v for k, v in settings.items() if v != ABLATION_DEFAULTS[k] and k not in spec.varies}
    if not odd:
        return None
    said = ", ".join(f"{k}={v}" for k, v in sorted(odd.items()))
    return f"its configuration is another one ({said})"
