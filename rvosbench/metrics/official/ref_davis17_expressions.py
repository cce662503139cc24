"""Protocol `ref-davis17-expressions`: every expression of Ref-DAVIS17 on its own.

One binary mask an expression; J and F of all frames against the object that it means, no void,
no matching; the mean over frames, then over all 244 expressions of the validation set.
Numbers are not comparable with `ref-davis17-annotators`.

Source: the evaluation used by VISA, Sa2VA and UniPixel.
"""

from __future__ import annotations

from rvosbench.metrics.official.per_expression import PerExpression

PROTOCOL = PerExpression(name="ref-davis17-expressions", version="1")
