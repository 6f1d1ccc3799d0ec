"""The composer of the demo catalogue: genres, artists' styles, songs, and their files in FMA's layout."""
