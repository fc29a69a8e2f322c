"""The studio: the web page at ``/``, where temperature can be seen and moved on a real model."""

from starlette.routing import BaseRoute

from heatbath.control import Profile
from heatbath.service.body import ReadBody
from heatbath.service.engine import Engine
from heatbath.service.studio.api import api_routes
from heatbath.service.studio.pages import page_routes

__all__ = ["routes"]


def routes(engine: Engine, read: ReadBody, profile: Profile | None = None) -> list[BaseRoute]:
    """The studio's routes, to be mounted at the root of an application.

    Arguments:
        engine: the engine that runs the model.
        read: gives the body of a request.
        profile: the model's profile, which gives the knob its scale; without one the page uses the present next token.
    """
    return [*page_routes(), *api_routes(engine, read, profile)]
