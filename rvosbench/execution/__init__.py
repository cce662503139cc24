"""Everything long is a list of units, one a video, that can be killed and taken up again.

`units` says what a unit, a job and an outcome are; `store` keeps finished outputs; `runner` brings
a list of units up to date; `executors` do the work. All long commands share this one mechanism.
"""
