"""MNS: the queue, its replies, and the administration of queues, topics and subscriptions."""
