"""The contracts under their old name, for two releases: import `rvosbench.contracts` instead."""

from __future__ import annotations

import warnings

from rvosbench.contracts import *  # noqa: F403

warnings.warn(
    "rvosbench.protocols is now called rvosbench.contracts, and goes in 0.4",
    DeprecationWarning,
    stacklevel=2,
)
