"""The collections of music: demo, FMA, a folder of your own; and who played what."""
