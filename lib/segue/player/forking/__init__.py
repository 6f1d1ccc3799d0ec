"""Kernels forked from one process that has imported everything: ready at once, their memory mostly shared."""
