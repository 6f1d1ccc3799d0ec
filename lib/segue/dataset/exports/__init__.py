"""Listening histories that people bring along, by ListenBrainz and Last.fm, and whose tracks they name."""
