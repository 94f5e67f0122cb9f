variable "queue_name" {
  description = "Name of the queue that the worker consumes: queue.name of its configuration. It shares it with nobody."
  type        = string
  default     = "config-events"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,119}$", var.queue_name))
    error_message = "queue_name takes at most 120 letters, digits and hyphens, the first one not a hyphen."
  }
}

variable "dead_letter_queue_name" {
  description = "Name of the queue for messages that cannot succeed: queue.dead_letter_queue of the configuration."
  type        = string
  default     = "config-events-dead"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,119}$", var.dead_letter_queue_name))
    error_message = "dead_letter_queue_name takes at most 120 letters, digits and hyphens, the first one not a hyphen."
  }
}

variable "topic_name" {
  description = "Name of the topic that Cloud Config delivers to: topic.name of the configuration."
  type        = string
  default     = "config-topic"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,119}$", var.topic_name))
    error_message = "topic_name takes at most 120 letters, digits and hyphens, the first one not a hyphen."
  }
}

variable "subscription_name" {
  description = "Name of the subscription that brings the topic's messages to the queue: topic.subscription of the configuration. Null: queue_name."
  type        = string
  default     = null

  validation {
    condition     = var.subscription_name == null || can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,119}$", var.subscription_name))
    error_message = "subscription_name takes at most 120 letters, digits and hyphens, the first one not a hyphen."
  }
}

variable "visibility_timeout_seconds" {
  description = "How long a received message is hidden from other consumers, in seconds: at least engine.work_budget_seconds and twice queue.call_timeout_seconds, at most engine.max_lease_seconds."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.visibility_timeout_seconds >= 2 && var.visibility_timeout_seconds <= 43200 && floor(var.visibility_timeout_seconds) == var.visibility_timeout_seconds
    error_message = "visibility_timeout_seconds takes a whole number from 2 to 43200."
  }
}

variable "retention_seconds" {
  description = "How long queue and dead-letter queue keep a message, in seconds: longer than retry.keep_seconds and every other wait of the configuration."
  type        = number
  default     = 604800
  nullable    = false

  validation {
    condition     = var.retention_seconds >= 345600 && var.retention_seconds <= 604800 && floor(var.retention_seconds) == var.retention_seconds
    error_message = "retention_seconds takes a whole number from 345600, a long weekend in which nobody looks at dead letters, to 604800."
  }
}

variable "create_delivery_channel" {
  description = "Whether to let Cloud Config deliver this account's events to the topic. False where a channel does already, or an account group's."
  type        = bool
  default     = true
  nullable    = false
}

variable "resource_types" {
  description = "Types of resources whose events are delivered: those that the configuration's rules repair. Empty: every type."
  type        = list(string)
  default     = ["ACS::OSS::Bucket"]
  nullable    = false

  validation {
    condition     = alltrue([for each in var.resource_types : can(regex("^ACS::[A-Za-z0-9]+::[A-Za-z0-9]+$", each))])
    error_message = "resource_types takes types as Cloud Config writes them, such as ACS::OSS::Bucket."
  }
}

variable "oversized_events_bucket_arn" {
  description = "Where Cloud Config puts what is larger than a message, acs:oss:<region>:<account>:<bucket>. Null: the topic gets a summary of it only."
  type        = string
  default     = null
}

variable "name" {
  description = "Name of the worker's RAM role and policy, and of the delivery channel."
  type        = string
  default     = "config-remediator"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,54}$", var.name)) # and -catch-up, of the 64 that RAM takes
    error_message = "name takes at most 55 letters, digits and hyphens, the first one not a hyphen."
  }
}

variable "worker_policy" {
  description = "The worker's RAM policy as `config-remediator ram-policy --config FILE` prints it. Null: what the example configuration needs, whose rules observe buckets and change nothing."
  type        = string
  default     = null

  validation {
    condition     = var.worker_policy == null || can(jsondecode(var.worker_policy).Statement)
    error_message = "worker_policy takes a JSON document with Statement, as `config-remediator ram-policy` prints it."
  }
  validation {
    condition     = try(length(jsonencode(jsondecode(var.worker_policy))), 0) <= 6144
    error_message = "worker_policy is longer than the 6144 characters that RAM takes: print it for fewer rules, or with --required-only."
  }
}

variable "catch_up" {
  description = "Whether to make a policy and a role for the job that finds what no event came for, config-remediator catch-up."
  type        = bool
  default     = false
  nullable    = false
}

variable "catch_up_policy" {
  description = "Its policy as `config-remediator ram-policy --for catch-up` prints it. Null: what the example configuration needs; an account group needs others."
  type        = string
  default     = null

  validation {
    condition     = var.catch_up_policy == null || can(jsondecode(var.catch_up_policy).Statement)
    error_message = "catch_up_policy takes a JSON document with Statement, as `config-remediator ram-policy --for catch-up` prints it."
  }
}

variable "rrsa" {
  description = "The pods of an ACK cluster that may take the role: its OIDC provider, its issuer, the namespace and the service accounts. Null: no pods."
  type = object({
    oidc_provider_arn        = string
    issuer                   = string
    namespace                = optional(string, "config-remediator")
    service_account          = optional(string, "config-remediator")
    catch_up_service_account = optional(string, "config-remediator-catch-up")
  })
  default = null

  validation {
    condition     = var.rrsa == null || can(regex("^acs:ram::[0-9]+:oidc-provider/[^*?]+$", var.rrsa.oidc_provider_arn))
    error_message = "rrsa.oidc_provider_arn takes acs:ram::<account>:oidc-provider/<name>."
  }
  validation {
    condition     = var.rrsa == null || can(regex("^https://[^*?]+$", var.rrsa.issuer))
    error_message = "rrsa.issuer takes the cluster's issuer, an https:// URL."
  }
  validation {
    condition     = var.rrsa == null || can(regex("^[a-z0-9-]+(/[a-z0-9.-]+){2}$", "${var.rrsa.namespace}/${var.rrsa.service_account}/${var.rrsa.catch_up_service_account}"))
    error_message = "rrsa.namespace and the service accounts of rrsa take names, without patterns."
  }
}

variable "ecs_ram_role" {
  description = "Whether ECS instances may take the role, for a worker on a node or a virtual machine with that role."
  type        = bool
  default     = false
  nullable    = false
}
