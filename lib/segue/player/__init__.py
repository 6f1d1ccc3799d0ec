"""The player: Voila serves it, its kernel speaks with the page, Kafka and the document store."""
