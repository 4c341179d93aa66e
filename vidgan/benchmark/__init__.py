"""The papers' comparisons on equal terms: suites.py says which, run.py trains and measures, report.py tells."""
