"""Training: one loop, one recipe for each paper. Needs no page, no video codec, no torchvision."""
