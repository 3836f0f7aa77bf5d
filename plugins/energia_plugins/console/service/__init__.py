"""What the pages of the service show: how it is, its jobs, tokens, webhooks and audit log."""
