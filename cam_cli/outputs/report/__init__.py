"""An evaluation as files: pure functions of a report, one format a file; `files.files` calls them all.

report.json     document.py    everything, by the schema in schema.py
metrics.json    flat.py        a name, a number
per_image.csv   per_image.py   a row an image and run
curves/*.csv    curves.py      a file a run and curve
report.md       markdown.py    for people and job summaries, below 64 KiB
report.html     page.py        the same with pictures: one page that needs nothing else
"""
