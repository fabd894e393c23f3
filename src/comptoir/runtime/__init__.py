"""What every floor may use: time, log redaction, metrics, failpoints, seeds."""
