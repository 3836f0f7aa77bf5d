"""The importer `urdb`."""
