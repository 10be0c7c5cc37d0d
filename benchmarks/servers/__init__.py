"""End to end: an upstream and its clients in one process, the contestants in processes of their own."""
