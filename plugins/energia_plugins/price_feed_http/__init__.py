"""Price feeds over HTTP, by configuration alone: `[plugins.price-feed-http]`."""

from energia import PriceFeed, hookimpl
from energia_plugins.price_feed_http.feed import Feed
from energia_plugins.price_feed_http.settings import Settings


class HttpFeeds:
    """The plugin: a feed for each table of its settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def register_price_feeds(self) -> list[PriceFeed]:
        """Offer the feeds."""
        return [Feed(name, feed) for name, feed in self._settings.feeds.items()]
