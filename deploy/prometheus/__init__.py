"""Recording and alerting rules, their tests, and the form in which a cluster takes them."""
