"""The paper's ablations: tables 4, 5a, 5b, A.1, A.2a and A.2b, from tracks to a page.

experiments  which rows the tables have, and which trainings and evaluations they need
settings     on what, how long, where
caches       the shared candidate tracks of every split
trainings    a selector for each network and seed; units of work that are made once
evaluations  every experiment on every split
run          all of it, resumable -> a report
report       what came out, JSON-safe
page         the report as the paper's tables, and as a page of the documentation
"""
