"""What benchmarks measure inside the product, each in a process and on a database of its own."""
