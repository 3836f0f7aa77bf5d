"""What CI does, on one's own machine: `make rehearse-ci` runs the workflow, `make smoke` a part."""
