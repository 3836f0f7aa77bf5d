"""What outlives a request: tasks that wait in the database, and the jobs that clients watch."""
