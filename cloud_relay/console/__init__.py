"""What people and programs see of the cloud over HTTP: the console's pages and the operator API."""
