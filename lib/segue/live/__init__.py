"""The live side: plays come in through Kafka, recommendations go out through Kafka."""
