"""Data sets as plugins, and the batches that live on the device."""
