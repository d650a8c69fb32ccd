"""The program in the cloud: teams and their people, the sites' boxes on their links, the operator's console and API."""
