"""The plugins that come with Energia, each through the public hooks only."""
