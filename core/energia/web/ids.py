"""Ids in paths and bodies."""

from energia.convert import Id

__all__ = ["Id"]
