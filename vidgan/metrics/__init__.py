"""How good clips are. Each metric's name carries its protocol; see docs/metrics.md.

Against a data set: features.py embeds clips, frechet.py compares two sets, distance.py measures a generator; s3.py and
inception.py ask classifiers trained in the run (classifier.py), retrieval.py looks for copies of training clips.
Against the clip that really followed a picture: fidelity.py (SSIM, PSNR), content.py (is it the same person? by
identity.py), and animation.py, the paper's protocol. Of a picture: novelty.py, is it like those that a release was
trained on?
"""
