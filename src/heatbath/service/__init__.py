"""The service: an OpenAI-compatible HTTP interface and the studio, over one engine that answers many requests at once.

Nothing is imported here, so that the engine can be had without a web server.
"""
