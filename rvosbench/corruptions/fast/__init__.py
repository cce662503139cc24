"""The default mode: the same distributions from our own stream, several times faster.

What is not random differs from the exact mode by at most 1 grey level; what is random has the same
statistics. Random words are turned into noise by our own tables, and sums are integers where that
helps, so results depend neither on the machine nor on how a library draws its numbers.
"""
