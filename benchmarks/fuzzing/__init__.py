"""The parts of `benchmarks/fuzz.py`: inputs, what is promised of each, and the processes that try them."""
