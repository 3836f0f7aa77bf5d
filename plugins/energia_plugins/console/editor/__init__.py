"""The editor of tariffs: forms that come from the JSON Schema of a document, and its price."""
