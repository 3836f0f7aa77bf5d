"""From usage, a tariff and a window to priced segments: the one way for API, CLI and bills."""
