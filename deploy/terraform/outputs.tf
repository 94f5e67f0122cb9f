output "config" {
  description = "The beginning of the worker's configuration: what names this account, queue and topic. The rules go below it."
  value       = <<-EOT
    account_id = "${local.account_id}"

    [queue]
    region = "${local.region}"
    name = "${alicloud_message_service_queue.this.queue_name}"
    dead_letter_queue = "${alicloud_message_service_queue.dead_letter.queue_name}"

    [topic]
    name = "${alicloud_message_service_topic.this.topic_name}"
    subscription = "${alicloud_message_service_subscription.this.subscription_name}"
  EOT
}

output "queue_name" {
  description = "Name of the queue: queue.name."
  value       = alicloud_message_service_queue.this.queue_name
}

output "queue_url" {
  description = "URL of the queue at the public endpoint."
  value       = "https://${local.account_id}.mns.${local.region}.aliyuncs.com/queues/${alicloud_message_service_queue.this.queue_name}"
}

output "dead_letter_queue_name" {
  description = "Name of the dead-letter queue: queue.dead_letter_queue."
  value       = alicloud_message_service_queue.dead_letter.queue_name
}

output "topic_arn" {
  description = "ARN of the topic: the target of a delivery channel of one's own, such as an account group's."
  value       = local.topic_arn
}

output "policy_name" {
  description = "Name of the worker's policy, to attach to an identity that this module does not make."
  value       = alicloud_ram_policy.this["worker"].policy_name
}

output "role_arn" {
  description = "ARN of the worker's role, for the chart's credentials.rrsa.roleArn or the component rrsa. Null where nobody may take one."
  value       = try(alicloud_ram_role.this["worker"].arn, null)
}

output "role_name" {
  description = "Name of the worker's role, for an instance or the component ecs-ram-role. Null where nobody may take one."
  value       = try(alicloud_ram_role.this["worker"].role_name, null)
}

output "catch_up_role_arn" {
  description = "ARN of the role of the job that catches up, for the chart's catchUp.roleArn or the component catch-up. Null where there is none."
  value       = try(alicloud_ram_role.this["catch_up"].arn, null)
}
