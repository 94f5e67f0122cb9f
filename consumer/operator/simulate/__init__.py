"""`config-remediator simulate`: what messages would lead to, without touching anything."""
