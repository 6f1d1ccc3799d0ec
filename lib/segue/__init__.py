"""Segue turns a collection of music files into recommendations a listener can hear."""

__version__ = "0.1.0"
