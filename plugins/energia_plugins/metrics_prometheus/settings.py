"""Who may read the metrics, and where: `[plugins.metrics-prometheus]`."""

from typing import Annotated

import attrs
from msgspec import Meta

from energia import Invalid, SecretStr


@attrs.frozen
class Settings:
    """How the metrics are exposed. Without any of these they are open in development only.

    Attributes:
        token: What a scraper sends as `Authorization: Bearer <token>`.
        port: A port of their own, beside the public one, which then has no `/metrics`.
        public: Whether anybody may read them on the public port.

    """

    token: SecretStr = SecretStr("")
    port: Annotated[int, Meta(ge=0, le=65535)] | None = None
    public: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.public and (self.token or self.port is not None):
            raise Invalid("public metrics have neither a token nor a port of their own")

    def open(self, profile: str) -> bool:
        """Tell whether the public port shows them to anybody."""
        return self.public or (profile == "development" and not self.token)
