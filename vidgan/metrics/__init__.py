"""How far clips are from real ones: features.py embeds clips, frechet.py compares two sets, distance.py measures a
generator against a data set. Each metric's name carries its protocol; see docs/metrics.md."""
