"""`cloud-relay` and `python -m cloud_relay`."""

from cloud_relay.cli import main

if __name__ == "__main__":
    main()
