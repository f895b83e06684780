"""The night: the job ledger and the jobs that consolidate the day."""
