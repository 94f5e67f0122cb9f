# Everything between Cloud Config and the worker, as `config-remediator provision` makes it, and the worker's rights.

data "alicloud_account" "current" {}

data "alicloud_regions" "current" {
  current = true
}

locals {
  account_id        = data.alicloud_account.current.id
  region            = data.alicloud_regions.current.ids[0]
  subscription_name = coalesce(var.subscription_name, var.queue_name)
  topic_arn         = "acs:mns:${local.region}:${local.account_id}:/topics/${alicloud_message_service_topic.this.topic_name}"
}

resource "alicloud_message_service_topic" "this" {
  topic_name       = var.topic_name
  max_message_size = 65536
}

# No dlq_policy: the worker writes its dead letters itself. The service's policy counts deliveries, and what waits for a
# person or for a limit is delivered often without ever having failed.
resource "alicloud_message_service_queue" "this" {
  queue_name               = var.queue_name
  visibility_timeout       = var.visibility_timeout_seconds
  message_retention_period = var.retention_seconds
  maximum_message_size     = 65536
  polling_wait_seconds     = 0 # the worker's requests name their own
  delay_seconds            = 0

  lifecycle {
    prevent_destroy = true # its messages are the only record of what is not repaired yet
  }
}

resource "alicloud_message_service_queue" "dead_letter" {
  queue_name               = var.dead_letter_queue_name
  visibility_timeout       = var.visibility_timeout_seconds
  message_retention_period = var.retention_seconds
  maximum_message_size     = 65536
  polling_wait_seconds     = 0
  delay_seconds            = 0

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = var.dead_letter_queue_name != var.queue_name
      error_message = "A queue is not its own dead-letter queue: dead_letter_queue_name and queue_name are the same."
    }
  }
}

resource "alicloud_message_service_subscription" "this" {
  topic_name            = alicloud_message_service_topic.this.topic_name
  subscription_name     = local.subscription_name
  push_type             = "queue"
  endpoint              = alicloud_message_service_queue.this.queue_name
  notify_strategy       = "EXPONENTIAL_DECAY_RETRY" # 176 tries in a day; the other gives up after three
  notify_content_format = "SIMPLIFIED"              # the event as it was published

  lifecycle {
    # Written as a name and read back as the service likes: the provider would replace it for that, and what is
    # published in between would never reach the queue.
    ignore_changes       = [endpoint]
    replace_triggered_by = [alicloud_message_service_queue.this.queue_name]
  }
}

resource "alicloud_config_delivery" "this" {
  count = var.create_delivery_channel ? 1 : 0

  delivery_channel_name                  = var.name
  description                            = "Non-compliance events for config-remediator"
  delivery_channel_type                  = "MNS"
  delivery_channel_target_arn            = local.topic_arn
  delivery_channel_condition             = length(var.resource_types) == 0 ? null : jsonencode([{ filterType = "ResourceType", values = var.resource_types, multiple = true }])
  non_compliant_notification             = true
  configuration_item_change_notification = false
  oversized_data_oss_target_arn          = var.oversized_events_bucket_arn
  status                                 = 1

  # The first event finds a queue.
  depends_on = [alicloud_message_service_subscription.this]
}
