"""A typed client of the Energia API.

    from energia_client import Energia, models

    with Energia("https://energia.example.com", token) as energia:
        for meter in energia.list_meters():
            print(meter.id)

Every operation of the API is a method of `Energia`, with the parameters that its document states.
It returns the answer, raises `ProblemError` for an error, and asks again where that is safe.
"""

from energia_client.client import Energia
from energia_client.connection import NoAnswer, ProblemError
from energia_client.generated import models
from energia_client.generated.types import UNSET, File, Unset
from energia_client.transport import Retries

__all__ = ["UNSET", "Energia", "File", "NoAnswer", "ProblemError", "Retries", "Unset", "models"]
