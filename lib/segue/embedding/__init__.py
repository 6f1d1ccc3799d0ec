"""The learned embedding of sound: what it is taught, the network, and its training on one process or many.

`lesson` and `weights` are numpy alone; `network`, `batches`, `training` and `distribute` need PyTorch.
"""
