"""What operators watch: rules, alerts and dashboards."""
