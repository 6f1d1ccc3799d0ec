"""Colours shared by the notebooks' plots and the player."""

COLOURS = ("#195cc7", "#b4410d", "#019f68", "#f7699d", "#cda629", "#834d7e", "#2ab2d5", "#9076f3")
"""Eight colours for categories, in the order in which they are given out.

Chosen by search in OKLab: any two stay at least 0.09 apart for normal sight and for protanopia, deuteranopia
and tritanopia (matrices of Machado, Oliveira and Fernandes 2009), each stands at 2.2:1 or more against white
and 3:1 or more against the dark ground (OKLCH lightness 16 %).
"""
NEUTRAL = "#8a8a8a"
"""What has no category, and what is there for comparison only."""
INK = "#1f1f1f"
FAINT = "#dddddd"
