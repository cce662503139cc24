"""Titles of the tables of SOLA's paper, by number and in its order.

Source: Kim et al., "Referring Video Object Segmentation via Language-aligned Track Selection",
arXiv 2412.01136, tables 1 to 5 and A.1, A.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PAPER_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "1": "Quantitative comparison on MeViS",
        "2": "Zero-shot quantitative comparison on Ref-YouTube-VOS and Ref-DAVIS",
        "3": "Quantitative comparison on combined dataset",
        "4": "Ablation study on the proposed selection method",
        "5a": "Ablation on different loss functions",
        "5b": "Effects of employing different types of attention layers",
        "A.1": "Quantitative result on a corrupted version of MeViS",
        "A.2a": "Effects of including background object tokens",
        "A.2b": "Effects of the number of object-language alignment layers",
    }
)
