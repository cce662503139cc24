"""Tables of results: one type and its writers, shared by strangers: reports, leaderboards, papers.

    table = Table(
        "5b",                                     # its number, or a name without spaces
        "Effects of ...",
        (Column("Attention"), Column("J&F", "MeViS", numeric=True)),
        (Row((Cell("both"), Cell(percent(0.486), 48.6, group="jf"))),),
        note="In percent.",
        numbered=True,                            # "Table 5b. Effects of ..."
    )
    table = replace(table, rows=ranked(table.rows, second=True))  # best of each `Cell.group`
    text = WRITERS["markdown"](table)             # markdown, latex, html, csv or json

* `table`: `Table`, `Column`, `Row`, `Cell`, `Interval`; `ranked`, `letters` (footnote marks), and
  the one way to print a number: `percent` (a score in [0, 1]), `as_printed` (a published one).
  `text_row(labels, numbers)` makes a row of plain text.
* `writers`: `WRITERS` and `SUFFIXES` by format name. `markdown.to_markdown(table)` and the other
  writers can be called alone; a table without a title has no heading.
* `published`: numbers that papers print, with their sources; `printed_scores` finds one.
* `paper`: titles of the SOLA paper's tables. `training`: names of training data.

Numbers in a table are in percent. All writers escape what comes from files.
"""
