"""Simulated listeners who react to what they are recommended: in a study without Kafka, and live through it.

They follow a rule that we wrote. What is measured on them tests the machinery and says nothing about people.
"""
