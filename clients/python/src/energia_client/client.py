"""The client."""

from types import TracebackType
from typing import Self

import httpx

from energia_client.generated.client import AuthenticatedClient
from energia_client.operations import Operations
from energia_client.transport import Retries, Transport


class Energia(Operations):
    """A client of a service; its methods are the operations of the API.

    Example:
        with Energia("http://127.0.0.1:8080", token) as energia:
            cost = energia.compute_cost(body=models.CostRequest(meter="UC-123", tariff="branca"))

    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeout: float = 60.0,
        retries: Retries = Retries(),  # noqa: B008
        gzip_from: int = 16 * 1024,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Connect when something is asked for.

        Args:
            url: Where the service is.
            token: What `energia token create` prints; None where no token is required.
            timeout: Seconds that an answer, or a part of it, may take.
            retries: When a request is sent again.
            gzip_from: Bodies from so many bytes are compressed.
            transport: Sends the requests; httpx's own without one.

        """
        inner = transport or httpx.HTTPTransport()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=url,
            headers=headers,
            timeout=timeout,
            transport=Transport(inner, retries, gzip_from),
        )
        self._client = AuthenticatedClient(url, token or "")
        self._client.set_httpx_client(self._http)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """Return the client, which is closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()
