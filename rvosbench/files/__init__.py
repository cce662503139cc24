"""The border: names, trees of files, atomic writes and claims of folders.

Ids become paths only through `names`; what lies in a folder or an archive is read only through
`trees`; what is written appears complete or not at all through `atomic`; `claims` says who works in
a folder.
"""
