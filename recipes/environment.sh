# Sourced by the recipes. glibc hands big buffers back to the system after every step, and the page faults that
# follow cost a third of a training step on a processor: keep them instead.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 MALLOC_TOP_PAD_=268435456
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-.venv/bin/python}
runs=${VIDGAN_RUNS:-runs}
export OMP_WAIT_POLICY=passive # a waiting thread leaves the core to whoever else is at work
