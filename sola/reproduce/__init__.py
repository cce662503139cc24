"""The paper's experiments: tables 4, 5a, 5b, A.1, A.2a and A.2b, from tracks to a page.

plan       which rows the tables have, and which trainings and evaluations they need
settings   on what, how long, where
caches     the shared candidate tracks of every split
trainings  a selector for each network and seed
trials     what is evaluated, and its scores
running    all of it, resumable -> a report
report     what came out, JSON-safe
tables     the report as the paper's tables
formats    a table as Markdown, LaTeX, CSV or JSON
page       the report as a page of the documentation
"""
