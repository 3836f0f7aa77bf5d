"""What an application and a request carry."""

import asyncio

from aiohttp import web

from energia.convert import Converter
from energia.core import Core
from energia.health.monitor import Monitor
from energia.web.inflight import InFlight
from energia.web.media import Accepted

#: The service that an application belongs to.
CORE = web.AppKey("CORE", Core)
#: Reads and writes the bodies, with the charges of the loaded plugins.
CONVERTER = web.AppKey("CONVERTER", Converter)
#: The id of a request, in its answer and its log lines.
REQUEST_ID = web.RequestKey("REQUEST_ID", str)
#: The error that the answer stands for, where it is one.
ERROR = web.RequestKey("ERROR", Exception)
#: The media type that the route of a request chose.
ACCEPTED = web.RequestKey("ACCEPTED", Accepted)
#: When a request must be answered; only until its answer begins.
DEADLINE = web.RequestKey("DEADLINE", asyncio.Timeout)
#: Watches the probes.
MONITOR = web.AppKey("MONITOR", Monitor)
#: The OpenAPI document, as JSON.
DOCUMENT = web.AppKey("DOCUMENT", bytes)
#: Counts the requests that are being answered.
IN_FLIGHT = web.AppKey("IN_FLIGHT", InFlight)
