// There are no processes.
