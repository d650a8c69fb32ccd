"""What box and cloud say to each other: `messages`, `codec`, and a pure session for each end, `box` and `cloud`."""
