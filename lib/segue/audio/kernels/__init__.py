"""The compiled parts of the feature extractor, one idea each: from samples or spectra to series."""
