"""How the tables came to be, one file per version; a store that is older is brought up to date when it is opened.

A file here is never changed once it has been released: stores out there have gone through it. To change a table, add a
file, add its number to ``VERSIONS`` in :mod:`heatbath.experiments.store.version`, and change ``tables.py``; a test
compares the two.
"""
