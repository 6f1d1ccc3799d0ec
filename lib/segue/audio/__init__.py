"""From a file to samples, and from samples to features."""
