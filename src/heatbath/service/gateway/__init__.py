"""The gateway: OpenAI's interface in front of other models, with the temperature decided on the way.

The files, in the order in which a request meets them: ``app`` (which path does what), ``keys`` (who may), ``forward``
(the whole way of a request), ``headers``, ``reading`` and ``scan`` (what it says), ``plan`` with ``routes`` (where to),
``policies`` (which temperature), ``providers`` and ``effects`` (what that does there), ``upstream`` or ``inside`` (who
answers) with ``breaker``, ``deliver`` and ``tee`` (the answer on its way back), ``ledger`` with ``metrics``,
``journal`` and ``tracing`` (what is remembered). ``config`` reads the file, ``live`` is the file at work. Nothing is
imported here.
"""
