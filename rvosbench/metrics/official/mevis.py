"""Protocol `mevis`: the authors' own evaluator for MeViS v1, and for data in its layout.

Per expression: J and F of every annotated frame, the first and the last included, against the
union of the expression's objects, without void, and their means over frames. The result is the
unweighted mean over all expressions; videos do not weigh.

Source: henghuiding/MeViS, `tools/eval_mevis.py` at 7c0620b. It differs in one thing: there, an
expression with a missing or misshapen prediction vanishes from the mean; here it is an error.
"""

from __future__ import annotations

from rvosbench.metrics.official.per_expression import MeanOverExpressions

PROTOCOL = MeanOverExpressions(name="mevis", version="1")
