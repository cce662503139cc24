"""Protocol `ref-youtube-vos`: an unofficial stand-in for the closed evaluation server.

The server's code was never published. We assume what the papers describe: J and F as in DAVIS at
the original size, the mean over the annotated frames (every fifth) of an expression, then the
mean over expressions. Results carry `official = False`.
"""

from __future__ import annotations

from rvosbench.metrics.official.per_expression import PerExpression

PROTOCOL = PerExpression(name="ref-youtube-vos", version="1", official=False)
