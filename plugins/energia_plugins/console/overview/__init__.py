"""What the overview shows: a month of a meter, and many sites at a glance."""
