"""Face clips from anyone's videos: the pipeline of TrailerFaces (Progressive Video GAN, Section 7.1, Figure 7.1).

Each video is read twice: first for cuts, faces and how each of them looks, then to cut out the tracks in which one
person is seen long enough, turned upright and scaled alike by a similarity transform. What was dropped is counted by
its reason. What is finished stays: the same call again goes on where it was stopped.
"""

from .pipeline import FaceOptions, collect
from .report import LENGTHS, Record, Report

__all__ = ["LENGTHS", "FaceOptions", "Record", "Report", "collect"]
